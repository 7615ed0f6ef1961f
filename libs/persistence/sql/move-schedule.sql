-- Pauses a schedule or lets it go on.
-- $1 name  $2 paused  $3 handled until  $4 next at or null
update schedules set paused = $2, handled_until = $3, next_at = $4, updated_at = now()
where name = $1
returning name, workflow, version, document_sha, inputs, priority, tags, cadence, catch_up, overlap, paused,
  handled_until, next_at, last_at, last_run_id, missed, skipped, failed, last_error, created_at, updated_at, now() as now
