-- Milliseconds until the next outbox row is due, 0 when one is.
-- Result: one row with `wait`, none when the outbox is empty.
select greatest(0, extract(epoch from not_before - clock_timestamp()) * 1000)::float8 as wait
from outbox order by not_before, id limit 1
