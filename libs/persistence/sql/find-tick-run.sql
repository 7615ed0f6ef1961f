-- The run that a schedule made for a tick.
-- $1 schedule  $2 tick
select id as run_id from runs where schedule = $1 and tick = $2
