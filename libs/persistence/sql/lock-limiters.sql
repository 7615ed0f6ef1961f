-- Locks limiters until the end of the transaction, always in the same order.
-- $1 class of the locks  $2 names
select pg_advisory_xact_lock($1::int, one.key)
from (select distinct hashtext(name) as key from unnest($2::text[]) as name order by 1) one
