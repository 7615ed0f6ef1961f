-- Whether a run is yet to be sent to the queue, now or at its time.
-- $1 run id
-- Result: awaits
select exists (select from outbox where kind in ('run', 'fork', 'retry') and run_id = $1) as awaits
