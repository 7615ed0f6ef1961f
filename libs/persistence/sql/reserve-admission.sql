-- Counts the active runs of a concurrency limiter and, when there is room, stores the run that was just inserted as one of them.
-- The caller holds the lock of the limiter.
-- $1 run id  $2 priority  $3 concurrency limiter  $4 limit  $5 rate limiter or null  $6 limit  $7 window in ms
-- $8 fair limiter or null  $9 limit  $10 limiter it waits on next, or null  $11 reason or null
-- Result: one row with `active`, the runs that were there before.
with others as (
  select count(*)::int as active
  from admissions admission
  join runs run on run.id = admission.run_id
  where admission.concurrency = $3::text and run.status in ('pending', 'running', 'waiting', 'paused')
),
stored as (
  insert into admissions (run_id, epoch, kind, priority, due_at, concurrency, concurrency_limit, policy, rate, rate_limit, rate_ms,
    fair, fair_limit, waiting_on, reason, admitted_at)
  select $1::uuid, 1, 'run', $2::int, now(), $3::text, $4::int, 'reject', $5::text, $6::int, $7::bigint, $8::text, $9::int,
    $10::text, $11::text, case when $10::text is null then now() end
  from others where others.active < $4::int
)
select active from others
