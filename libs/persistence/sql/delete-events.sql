-- Deletes events of runs, so many at a time.
-- $1 run ids  $2 limit
-- Result: one row for each event deleted.
delete from events where id in (select id from events where run_id = any ($1::uuid[]) limit $2)
returning id
