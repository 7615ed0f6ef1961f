-- What the runs that an attempt of a task started have come to.
-- $1 parent run id  $2 task key  $3 attempt
-- Result: one row: depth, priority and tags of the parent, how many children there are and are active, and the first of those
-- that failed or were cancelled. No row when there is no such parent.
select parent.depth, parent.priority, parent.tags, parent.status, counts.created, counts.active, counts.bad_index
from runs parent
cross join lateral (
  select
    count(*)::int as created,
    count(*) filter (where status in ('pending', 'running', 'waiting', 'paused'))::int as active,
    min(parent_index) filter (where status in ('failed', 'cancelled')) as bad_index
  from runs child
  where child.parent_run_id = $1::uuid and child.parent_task = $2 and child.parent_attempt = $3
) counts
where parent.id = $1::uuid
