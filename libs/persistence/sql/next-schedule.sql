-- Milliseconds until the next schedule is due, 0 when one is.
-- $1 names to be left alone
-- Result: one row with `wait`, none when no schedule has a tick to come.
select greatest(0, extract(epoch from next_at - clock_timestamp()) * 1000)::float8 as wait
from schedules
where next_at is not null and name <> all ($1::text[])
order by next_at limit 1
