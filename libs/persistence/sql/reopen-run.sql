-- Opens a run that failed or was cancelled for a rerun: its epoch is raised, what did not complete is to be done again.
-- $1 run id
-- Result: epoch; no row when the run is not in such a state.
with opened as (
  update runs set epoch = epoch + 1, status = 'running', finished_at = null, outputs = null, error = null, reason = null
  where id = $1 and status in ('failed', 'cancelled')
  returning id, epoch
),
again as (
  update tasks task set status = 'pending', epoch = opened.epoch, queued_at = null, started_at = null, finished_at = null,
    worker_id = null, output = null, output_bytes = null, error = null, reason = null
  from opened
  where task.run_id = opened.id and task.status <> 'completed'
)
select epoch from opened
