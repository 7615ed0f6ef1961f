-- Stores a run that goes on from another one: the tasks named keep what they came to there, with their outputs, the others
-- are to be done. Nothing is written when the idempotency key is in use, or when the source has another epoch by now.
-- $1 run id  $2 id of the source  $3 epoch that the source must have  $4 keys of the tasks that are reused  $5 inputs (JSON)
-- $6 idempotency key or null  $7 API key id or null  $8 sha of the body or null
-- Result: one row with `stored` (the run was stored) and `found` (the source is as expected).
with source as (
  select * from runs where id = $2::uuid and epoch = $3::int
),
claimed as (
  insert into idempotency_keys as old (key, api_key_id, body_sha, run_id)
  select $6::text, $7::uuid, $8::text, $1::uuid from source where $6::text is not null
  on conflict (key, api_key_id) do update
    set body_sha = excluded.body_sha, run_id = excluded.run_id, created_at = now()
    where old.created_at < now() - interval '24 hours'
  returning 1
),
free as (
  select 1 where $6::text is null or exists (select from claimed)
),
-- It is there already; delete-documents waits for whoever inserts.
stored_document as (
  insert into documents (sha, name, document)
  select document.sha, document.name, document.document
  from source, free, documents document where document.sha = source.document_sha
  on conflict (sha) do nothing
),
stored_run as (
  insert into runs (id, workflow, version, document_sha, priority, on_failure, tags, inputs, task_count, forked_from)
  select $1::uuid, workflow, version, document_sha, priority, on_failure, tags, $5::json, task_count, id
  from source, free
  returning id
),
reused as (
  select task.* from tasks task, stored_run where task.run_id = $2::uuid and task.key = any ($4::text[])
),
stored_tasks as (
  insert into tasks (run_id, key, position, status, attempts, worker_id, queued_at, started_at, finished_at, output,
    output_bytes, reason)
  select $1::uuid, key, position, status, attempts, worker_id, queued_at, started_at, finished_at, output, output_bytes, reason
  from reused
  union all
  select $1::uuid, task.key, task.position, 'pending', 0, null, null, null, null, null, null, null
  from tasks task, stored_run where task.run_id = $2::uuid and task.key <> all ($4::text[])
),
stored_outputs as (
  insert into outputs (run_id, epoch, task_key, attempt, output)
  select $1::uuid, 1, kept.task_key, kept.attempt, kept.output
  from reused join outputs kept on kept.run_id = reused.run_id and kept.epoch = reused.epoch
    and kept.task_key = reused.key and kept.attempt = reused.attempts
  where reused.output is null and reused.output_bytes is not null
),
stored_artifacts as (
  insert into artifacts (id, run_id, epoch, task_key, attempt, kind, name, media_type, size, sha256, store, object, created_at,
    check_at)
  select gen_random_uuid(), $1::uuid, 1, kept.task_key, kept.attempt, kept.kind, kept.name, kept.media_type, kept.size, kept.sha256,
    kept.store, kept.object, kept.created_at, null
  from reused join artifacts kept on kept.run_id = reused.run_id and kept.epoch = reused.epoch
    and kept.task_key = reused.key and kept.attempt = reused.attempts
  where kept.size is not null and kept.doomed_at is null
),
announced as (
  insert into outbox (kind, run_id, payload) select 'fork', id, json_build_object('forkedFrom', $2::uuid) from stored_run
)
select exists (select from stored_run) as stored, exists (select from source) as found
