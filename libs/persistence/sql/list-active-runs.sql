-- Runs that have not ended, oldest first.
-- $1 run id to go on after  $2 limit
select id as run_id, workflow, version, document_sha, status, priority, on_failure, tags, inputs, epoch, task_count, created_at,
  schedule, tick, parent_run_id, parent_task
from runs
where status in ('pending', 'running', 'waiting', 'paused') and id > $1
order by id
limit $2
