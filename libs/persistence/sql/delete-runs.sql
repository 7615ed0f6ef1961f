-- Deletes runs that have ended, with all that is kept of them; their artifacts are doomed. One that was opened again in the meantime stays.
-- $1 run ids
-- Result: one row for each run deleted.
with gone as (
  delete from runs where id = any ($1::uuid[]) and status in ('completed', 'failed', 'cancelled') returning id
),
gone_tasks as (delete from tasks using gone where tasks.run_id = gone.id),
gone_events as (delete from events using gone where events.run_id = gone.id),
gone_outputs as (delete from outputs using gone where outputs.run_id = gone.id),
gone_artifacts as (
  update artifacts set doomed_at = now(), check_at = null from gone where artifacts.run_id = gone.id and doomed_at is null
),
gone_outbox as (delete from outbox using gone where outbox.run_id = gone.id),
gone_admissions as (delete from admissions using gone where admissions.run_id = gone.id),
gone_signals as (delete from signals using gone where signals.run_id = gone.id)
select id from gone
