-- Whether the time of a run that was delayed, or its turn at a limit, is still to come. The row of a run that an API process sends by itself is due
-- a moment later, too, and may still be there when the run has been sent: such a moment is no delay.
-- $1 run id
-- Result: awaits
select
  exists (
    select from outbox join runs on runs.id = outbox.run_id
    where outbox.kind in ('run', 'fork', 'retry') and outbox.run_id = $1
      and outbox.not_before > now() and outbox.not_before > runs.created_at + interval '2 seconds'
  )
  or exists (select from admissions where run_id = $1 and waiting_on is not null) as awaits
