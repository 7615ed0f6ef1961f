-- Writes down what became of the ticks of a schedule.
-- $1 name  $2 handled until  $3 next at or null  $4 last at or null for as it was  $5 last run id or null for as it was
-- $6 missed  $7 skipped  $8 failed, all three added  $9 last error (JSON) or null for as it was
update schedules set
  handled_until = $2, next_at = $3, last_at = coalesce($4, last_at), last_run_id = coalesce($5, last_run_id),
  missed = missed + $6, skipped = skipped + $7, failed = failed + $8, last_error = coalesce($9, last_error)
where name = $1
