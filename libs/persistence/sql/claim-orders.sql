-- Locks outbox rows that control runs (they are due since long before they were written) and what else is overdue, with their
-- runs, as claim-outbox does: they are not to wait for the rows that start runs.
-- $1 limit
-- Result: id, kind, run_id, payload, and the columns of the run (null when the run is gone).
select
  due.id, due.kind, due.run_id, due.payload,
  run.workflow, run.version, run.document_sha, run.status, run.priority, run.on_failure, run.tags, run.inputs,
  run.epoch, run.task_count, run.created_at, run.schedule, run.tick, run.parent_run_id, run.parent_task
from (
  select id, kind, run_id, payload, not_before from outbox
  where not_before <= now() - interval '30 minutes'
    -- A resume waits for the pause before it, which another transaction may hold.
    and (kind not in ('pause', 'resume') or not exists (
      select from outbox earlier where earlier.run_id = outbox.run_id and earlier.id < outbox.id and earlier.kind in ('pause', 'resume')
    ))
  order by not_before, id
  limit $1
  for update skip locked
) due
-- One look at the key for each row: the planner does not know the limit, and would rather read all runs.
left join lateral (select * from runs where runs.id = due.run_id limit 1) run on true
order by due.not_before, due.id
