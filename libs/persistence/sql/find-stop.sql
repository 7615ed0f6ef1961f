-- Whether a run that has not ended, or one above it, is being stopped: it was asked to be, or a task of it has failed and its tasks are to be
-- cancelled by that. Only what happened since the run was opened last counts: a rerun keeps the failed tasks that it does not do again.
-- $1 run id
-- Result: one row for the nearest that is: run_id, stopping, failed_task; none when none is.
with recursive line as (
  select id, parent_run_id, stopping, on_failure, 0 as above from runs where id = $1::uuid
  union all
  select run.id, run.parent_run_id, run.stopping, run.on_failure, line.above + 1
  from line join runs run on run.id = line.parent_run_id
  where run.status in ('pending', 'running', 'waiting', 'paused')
)
select line.id as run_id, line.stopping, failed.task_key as failed_task
from line
left join lateral (
  select event.task_key from events event
  where line.on_failure = 'cancel'
    and exists (select from tasks where tasks.run_id = line.id and tasks.status = 'failed')
    and event.run_id = line.id and event.type = 'task.failed'
    and event.id > coalesce((
      select max(ended.id) from events ended
      where ended.run_id = line.id and ended.type in ('run.completed', 'run.failed', 'run.cancelled')
    ), 0)
  order by event.id
  limit 1
) failed on true
where line.stopping is not null or failed.task_key is not null
order by line.above
limit 1
