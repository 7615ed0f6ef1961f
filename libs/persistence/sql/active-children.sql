-- Runs that tasks of some runs have started and that have not ended; those that were begun come first.
-- $1 parent run ids  $2 task key, or null for all tasks
-- Result: run_id, epoch, status, document_sha, workflow, version, priority, parent_run_id, parent_task
select id as run_id, epoch, status, document_sha, workflow, version, priority, parent_run_id, parent_task
from runs
where parent_run_id = any ($1::uuid[]) and ($2::text is null or parent_task = $2)
  and status in ('pending', 'running', 'waiting', 'paused')
order by status = 'pending', id
