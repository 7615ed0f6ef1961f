-- A schedule, locked until the transaction ends, with the time of the database.
-- $1 name
select name, workflow, version, document_sha, inputs, priority, tags, cadence, catch_up, overlap, paused,
  handled_until, next_at, last_at, last_run_id, missed, skipped, failed, last_error, created_at, updated_at, now() as now
from schedules where name = $1
for update
