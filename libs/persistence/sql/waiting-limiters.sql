-- Names of limiters that runs wait for, each once, in order. Steps from name to name, however many wait before each.
-- $1 name to go on after  $2 limit
with recursive step as (
  (select waiting_on from admissions where waiting_on > $1 order by waiting_on limit 1)
  union all
  select (select next.waiting_on from admissions next where next.waiting_on > step.waiting_on order by next.waiting_on limit 1)
  from step where step.waiting_on is not null
)
select waiting_on as name from step where waiting_on is not null limit $2
