-- Those of some runs that still have the outbox row that sends them: its deletion may not have been committed.
-- $1 run ids
-- Result: run_id
select run_id from outbox where kind = 'run' and run_id = any ($1::uuid[])
