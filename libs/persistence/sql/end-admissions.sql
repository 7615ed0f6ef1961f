-- Takes out runs that have ended.
-- $1 run ids
-- Result: the limiters in which that made room.
with ended as (
  delete from admissions using runs run
  where admissions.run_id = any ($1::uuid[]) and run.id = admissions.run_id and run.status in ('completed', 'failed', 'cancelled')
  returning admissions.concurrency, admissions.fair
)
select distinct name from ended, unnest(array[concurrency, fair]) as name where name is not null
