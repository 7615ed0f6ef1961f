-- What the runs that a task started have come to, as an attempt of it sees them: those that failed or were cancelled before this
-- attempt are yet to be done.
-- $1 parent run id  $2 task key  $3 attempt
-- Result: one row: depth, priority and tags of the parent, `since` (the first attempt whose runs count), how many children are
-- there and not to be done again, how many are active, the place behind the last of all, and the first of those that failed
-- or were cancelled in this attempt. No row when there is no such parent.
select parent.depth, parent.priority, parent.tags, task.rounds_from as since, counts.present, counts.active, counts.next, counts.bad_index
from runs parent
join tasks task on task.run_id = parent.id and task.key = $2
cross join lateral (
  select
    count(*) filter (where child.status not in ('failed', 'cancelled') or child.parent_attempt >= $3)::int as present,
    count(*) filter (where child.status in ('pending', 'running', 'waiting', 'paused'))::int as active,
    coalesce(max(child.parent_index) + 1, 0) as next,
    min(child.parent_index) filter (where child.status in ('failed', 'cancelled') and child.parent_attempt >= $3) as bad_index
  from runs child
  where child.parent_run_id = $1::uuid and child.parent_task = $2 and child.parent_from = task.rounds_from
) counts
where parent.id = $1::uuid
