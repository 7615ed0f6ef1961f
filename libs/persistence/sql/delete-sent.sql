-- Removes the outbox rows of runs that are in the queue.
-- $1 run ids
delete from outbox where kind = 'run' and run_id = any ($1::uuid[])
