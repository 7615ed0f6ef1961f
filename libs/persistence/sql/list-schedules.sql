-- Schedules by name.
-- $1 name to go on after  $2 limit
select name, workflow, version, document_sha, inputs, priority, tags, cadence, catch_up, overlap, paused,
  handled_until, next_at, last_at, last_run_id, missed, skipped, failed, last_error, created_at, updated_at, now() as now
from schedules where name > $1
order by name
limit $2
