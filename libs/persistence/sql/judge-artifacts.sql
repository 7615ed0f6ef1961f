-- Looks at artifacts of attempts of which it is not settled whether they were recorded: those of the recorded one stay, those of one
-- that can't be recorded any more are doomed, others are looked at again later.
-- $1 how many to look at
-- Result: one row for each that was looked at.
with page as (
  select artifact.id, artifact.run_id, artifact.task_key, artifact.epoch, artifact.attempt, artifact.size from artifacts artifact
  where artifact.check_at <= now() order by artifact.check_at limit $1 for update skip locked
),
verdict as (
  select page.id,
    task.status = 'completed' and task.epoch = page.epoch and task.attempts = page.attempt and page.size is not null
      as recorded,
    task.run_id is null or run.status in ('completed', 'failed', 'cancelled') or task.status in ('completed', 'failed', 'skipped', 'cancelled')
      or (task.epoch, task.attempts) > (page.epoch, page.attempt) as over
  from page
  left join tasks task on task.run_id = page.run_id and task.key = page.task_key
  left join runs run on run.id = page.run_id
)
update artifacts set
  check_at = case when verdict.recorded or verdict.over then null else now() + interval '10 minutes' end,
  doomed_at = case when not coalesce(verdict.recorded, false) and verdict.over then coalesce(doomed_at, now()) else doomed_at end
from verdict where artifacts.id = verdict.id
returning artifacts.id
