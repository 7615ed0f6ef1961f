-- The schedule that has been due for longest, locked until the transaction ends. Those that others hold are passed over.
-- $1 names to be left alone
select name, workflow, version, document_sha, inputs, priority, tags, cadence, catch_up, overlap, paused,
  handled_until, next_at, last_at, last_run_id, missed, skipped, failed, last_error, created_at, updated_at, now() as now
from schedules
where next_at <= now() and name <> all ($1::text[])
order by next_at
limit 1
for update skip locked
