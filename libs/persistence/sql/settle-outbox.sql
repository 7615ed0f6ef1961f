-- Removes outbox rows that are done and puts off those to be tried later.
-- $1 ids done  $2 ids put off  $3 delay of each in ms
with done as (
  delete from outbox where id = any ($1::bigint[])
)
update outbox set not_before = clock_timestamp() + later.delay * interval '1 ms'
from unnest($2::bigint[], $3::float8[]) as later (id, delay)
where outbox.id = later.id
