-- Stores a run with its document, tasks, outbox row and idempotency key. Nothing is written when the key is in use.
-- $1 run id  $2 workflow  $3 version or null  $4 document sha  $5 document (JSON)  $6 document name  $7 priority
-- $8 on_failure  $9 tags  $10 inputs (JSON)  $11 delay in ms  $12 task keys  $13 task positions
-- $14 idempotency key or null  $15 API key id or null  $16 sha of the body or null
-- $17 schedule or null  $18 its tick or null  $19 ms until the deadline, or null  $20 ms for which the outbox row waits besides
-- Result: one row when stored, none when the idempotency key is in use (it may be seen by the next statement only).
with claimed as (
  insert into idempotency_keys as old (key, api_key_id, body_sha, run_id)
  select $14::text, $15::uuid, $16::text, $1::uuid where $14::text is not null
  on conflict (key, api_key_id) do update
    set body_sha = excluded.body_sha, run_id = excluded.run_id, created_at = now()
    where old.created_at < now() - interval '24 hours'
  returning 1
),
free as (
  select 1 where $14::text is null or exists (select from claimed)
),
stored_document as (
  insert into documents (sha, name, document)
  select $4::text, $6::text, $5::json from free
  on conflict (sha) do nothing
),
stored_run as (
  insert into runs (id, workflow, version, document_sha, priority, on_failure, tags, inputs, task_count, not_before,
    schedule, tick)
  select $1::uuid, $2::text, $3::int, $4::text, $7::int, $8::text, $9::text[], $10::json, cardinality($12::text[]),
    now() + $11::float8 * interval '1 ms', $17::text, $18::timestamptz
  from free
  returning id
),
stored_tasks as (
  insert into tasks (run_id, key, position)
  select $1::uuid, task.key, task.position from free, unnest($12::text[], $13::int[]) as task (key, position)
),
announced as (
  insert into outbox (kind, run_id, not_before)
  select 'run', $1::uuid, now() + ($11::float8 + $20::float8) * interval '1 ms' from free
  union all
  select 'deadline', $1::uuid, now() + $19::float8 * interval '1 ms' from free where $19::float8 is not null
)
select id from stored_run
