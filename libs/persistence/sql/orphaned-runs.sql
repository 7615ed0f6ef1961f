-- Of some runs those that a task of another run has started which has ended, or is gone, without them. One that somebody opened again
-- after that goes on by itself.
-- $1 run ids
-- Result: as of active-children
select child.id as run_id, child.epoch, child.status, child.document_sha, child.workflow, child.version, child.priority,
  child.parent_run_id, child.parent_task
from runs child
left join runs parent on parent.id = child.parent_run_id
where child.id = any ($1::uuid[]) and child.parent_run_id is not null
  and child.status in ('pending', 'running', 'waiting', 'paused')
  and (child.reopened_at is null or child.reopened_at <= parent.finished_at)
  and (parent.id is null or parent.status in ('completed', 'failed', 'cancelled'))
