-- Notes that a run is to be stopped, and how it is to end; the first wish stands. A run that another transaction writes to is passed
-- over, not waited for: a rerun that opens it may itself wait for the outbox row that the caller holds.
-- $1 run id  $2 wish (JSON)
-- Result: one row when it is noted; none when the run was passed over, or has ended.
with free as (
  select id from runs where id = $1::uuid and status in ('pending', 'running', 'waiting', 'paused')
  for no key update skip locked
)
update runs set stopping = coalesce(stopping, $2::json) from free where runs.id = free.id
returning runs.id
