-- Writes down why a schedule that is due can't be dealt with now.
-- $1 name  $2 error (JSON)
update schedules set last_error = $2 where name = $1
