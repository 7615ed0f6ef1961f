-- Opens a run that has ended for a rerun: its epoch is raised, and the tasks to be done again are pending. What the outbox
-- still held about it is of the last time.
-- $1 run id  $2 epoch that the run must have  $3 keys of the tasks, or null for all that did not complete
-- Result: epoch; no row when the run has not ended, or has another epoch.
with opened as (
  update runs set epoch = epoch + 1, status = 'running', reopened_at = now(), started_at = null, finished_at = null,
    outputs = null, error = null, reason = null, stopping = null
  where id = $1 and epoch = $2 and status in ('completed', 'failed', 'cancelled')
  returning id, epoch
),
again as (
  update tasks task set status = 'pending', epoch = opened.epoch, attempts_before = task.attempts, queued_at = null,
    started_at = null, finished_at = null, worker_id = null, output = null, output_bytes = null, error = null, reason = null
  from opened
  where task.run_id = opened.id
    and case when $3::text[] is null then task.status <> 'completed' else task.key = any ($3) end
  returning task.run_id, task.key
),
judged_again as (
  update artifacts set check_at = now() + interval '1 hour' from again
  where artifacts.run_id = again.run_id and artifacts.task_key = again.key and artifacts.doomed_at is null
),
forgotten as (
  delete from outbox using opened where outbox.run_id = opened.id
)
select epoch from opened
