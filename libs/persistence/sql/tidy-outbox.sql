-- Deletes the timers of those of some runs that have ended: nothing is left for them to end. Gives those that still have a due
-- outbox row that sends them: its deletion may not have been committed. A row whose time has not come was never sent.
-- $1 run ids
-- Result: run_id
with gone as (
  delete from outbox using runs
  where outbox.run_id = any ($1::uuid[]) and outbox.kind in ('timeout', 'deadline', 'queue-timeout')
    and runs.id = outbox.run_id and runs.status in ('completed', 'failed', 'cancelled')
)
select run_id from outbox where kind in ('run', 'fork', 'retry') and run_id = any ($1::uuid[]) and not_before <= now()
