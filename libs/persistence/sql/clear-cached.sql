-- Forgets results. Not prepared by name: the planner must see which filters are null.
-- $1 workflow or null  $2 task key or null
-- Result: one row with `cleared`.
with gone as (
  delete from task_cache where ($1::text is null or workflow = $1) and ($2::text is null or task_key = $2)
  returning expires_at
)
select count(*) filter (where expires_at > now())::int as cleared from gone
