-- Writes down a run that was triggered by hand.
-- $1 name  $2 run id
update schedules set last_at = now(), last_run_id = $2 where name = $1
