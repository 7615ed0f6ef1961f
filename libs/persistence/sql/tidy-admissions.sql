-- Makes good what nobody was told of: runs that ended, runs that began; and forgets starts that no rate looks at any more.
-- Result: one row with `left`: whether there are runs with limits.
with ended as (
  delete from admissions using runs run
  where run.id = admissions.run_id and run.status in ('completed', 'failed', 'cancelled')
),
old as (
  delete from rate_starts where ends_at < now() - interval '1 minute'
),
changed as (
  update admissions set begun = true
  from runs run
  where admissions.fair is not null and not admissions.begun and admissions.admitted_at is not null
    and run.id = admissions.run_id and run.status in ('pending', 'running', 'waiting', 'paused')
    and exists (select from tasks task where task.run_id = admissions.run_id and task.attempts > 0)
)
select exists (select from admissions) or exists (select from rate_starts) as "left"
