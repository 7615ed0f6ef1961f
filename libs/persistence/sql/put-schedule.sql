-- Stores a schedule, or replaces the one of its name, whose counts and last run stay.
-- $1 name  $2 workflow  $3 version or null  $4 document sha or null  $5 document (JSON) or null  $6 inputs (JSON)  $7 priority
-- $8 tags  $9 cadence (JSON)  $10 catch_up  $11 overlap  $12 paused  $13 handled until  $14 next at or null
insert into schedules (
  name, workflow, version, document_sha, document, inputs, priority, tags, cadence, catch_up, overlap, paused,
  handled_until, next_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (name) do update set
  workflow = excluded.workflow, version = excluded.version, document_sha = excluded.document_sha,
  document = excluded.document, inputs = excluded.inputs, priority = excluded.priority, tags = excluded.tags,
  cadence = excluded.cadence, catch_up = excluded.catch_up, overlap = excluded.overlap, paused = excluded.paused,
  handled_until = excluded.handled_until, next_at = excluded.next_at, last_error = null, updated_at = now()
returning name, workflow, version, document_sha, inputs, priority, tags, cadence, catch_up, overlap, paused,
  handled_until, next_at, last_at, last_run_id, missed, skipped, failed, last_error, created_at, updated_at, now() as now
