-- The last that was asked of a run, and not yet done, of pausing and resuming it.
-- $1 run id
-- Result: one row with `kind`, none when nothing is on its way.
select kind from outbox where run_id = $1::uuid and kind in ('pause', 'resume') order by id desc limit 1
