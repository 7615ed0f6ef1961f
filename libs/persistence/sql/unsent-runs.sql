-- Those of some runs that still have a due outbox row that sends them: its deletion may not have been committed. A row whose
-- time has not come was never sent.
-- $1 run ids
-- Result: run_id
select run_id from outbox where kind in ('run', 'fork', 'retry') and run_id = any ($1::uuid[]) and not_before <= now()
