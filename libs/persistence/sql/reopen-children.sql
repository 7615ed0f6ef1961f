-- Opens runs that a task started and that did not complete: what completed of them is kept, the rest is done again. What the
-- outbox still held about them is of the last time.
-- $1 run ids  $2 their epochs  $3 attempt that opens them
-- Result: one row for each run opened; one that was opened meanwhile stays as it is.
with opened as (
  update runs set epoch = runs.epoch + 1, status = 'running', reopened_at = now(), started_at = null, finished_at = null,
    outputs = null, error = null, reason = null, stopping = null, parent_attempt = $3::int
  from unnest($1::uuid[], $2::int[]) as child (id, epoch)
  where runs.id = child.id and runs.epoch = child.epoch and runs.status in ('failed', 'cancelled')
  returning runs.id, runs.epoch
),
again as (
  update tasks task set status = 'pending', epoch = opened.epoch, attempts_before = task.attempts, queued_at = null,
    started_at = null, finished_at = null, worker_id = null, output = null, output_bytes = null, error = null, reason = null
  from opened
  where task.run_id = opened.id and task.status <> 'completed'
  returning task.run_id, task.key
),
judged_again as (
  update artifacts set check_at = now() + interval '1 hour' from again
  where artifacts.run_id = again.run_id and artifacts.task_key = again.key and artifacts.doomed_at is null
),
forgotten as (
  delete from outbox using opened where outbox.run_id = opened.id
),
announced as (
  insert into outbox (kind, run_id, payload) select 'retry', id, '{"reason":"retry"}'::json from opened
)
select id from opened
