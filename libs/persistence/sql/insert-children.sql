-- Stores runs that an attempt of a task starts, with their tasks and outbox rows. A child that exists stays as it is.
-- $1 parent run id  $2 parent task  $3 parent attempt  $4 depth  $5 workflow  $6 version or null  $7 document sha
-- $8 document (JSON)  $9 document name  $10 priority  $11 on_failure  $12 tags  $13 task keys  $14 task positions
-- $15 run ids  $16 indexes  $17 inputs (JSON texts)
-- $18 first attempt of the task whose children count
-- Result: one row for each child stored.
with stored_document as (
  insert into documents (sha, name, document) values ($7, $9, $8::json)
  on conflict (sha) do nothing
),
stored as (
  insert into runs (id, workflow, version, document_sha, priority, on_failure, tags, inputs, task_count,
    parent_run_id, parent_task, parent_attempt, parent_index, depth, parent_from)
  select child.id, $5, $6::int, $7, $10::int, $11, $12::text[], child.inputs, cardinality($13::text[]),
    $1::uuid, $2, $3::int, child.index, $4::int, $18::int
  from unnest($15::uuid[], $16::int[], $17::json[]) as child (id, index, inputs)
  on conflict (parent_run_id, parent_task, parent_from, parent_index) where parent_run_id is not null do nothing
  returning id
),
stored_tasks as (
  insert into tasks (run_id, key, position)
  select stored.id, task.key, task.position
  from stored, unnest($13::text[], $14::int[]) as task (key, position)
),
announced as (
  insert into outbox (kind, run_id) select 'run', id from stored
)
select id from stored
