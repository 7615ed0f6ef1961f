-- Notes that an attempt of some runs was begun.
-- $1 run ids
-- Result: the limiters in which that made room.
with changed as (
  update admissions set begun = true
  where run_id = any ($1::uuid[]) and fair is not null and not begun and admitted_at is not null
  returning fair
)
select distinct fair as name from changed
