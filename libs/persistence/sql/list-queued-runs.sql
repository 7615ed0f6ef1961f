-- Runs that have not ended and were sent to the queue: they have no outbox row that would send them,
-- and wait for no limit of their workflow. One that is paused is in Redis also before it is sent.
-- $1 run id to go on after  $2 limit
select id as run_id, workflow, version, document_sha, status, priority, on_failure, tags, inputs, epoch, task_count, created_at,
  schedule, tick, parent_run_id, parent_task
from runs
where status in ('pending', 'running', 'waiting', 'paused') and id > $1
  and (status = 'paused' or not exists (select from admissions where run_id = runs.id and waiting_on is not null))
  and (status <> 'pending' or id not in (select run_id from outbox where kind in ('run', 'fork')))
  -- A run that was opened again is running by its status, and has not started before it is sent.
  and (status = 'paused' or started_at is not null or id not in (select run_id from outbox where kind = 'retry'))
order by id
limit $2
