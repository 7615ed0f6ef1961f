-- Puts runs before their first limiter. A run that is there already stays as it is, but for a rerun, which waits anew.
-- One element each: $1 run ids  $2 epochs  $3 kinds of outbox row  $4 priorities  $5 concurrency limiters  $6 their limits
-- $7 policies  $8 rate limiters  $9 their limits  $10 their windows in ms  $11 fair limiters  $12 their limits
-- $13 first limiters  $14 reasons  $15 payloads (JSON) of outbox rows
insert into admissions as old (run_id, epoch, kind, priority, due_at, concurrency, concurrency_limit, policy, rate, rate_limit,
  rate_ms, fair, fair_limit, waiting_on, reason, payload)
select given.run_id, given.epoch, given.kind, given.priority, case given.kind when 'run' then run.not_before else now() end,
  given.concurrency, given.concurrency_limit, given.policy, given.rate, given.rate_limit, given.rate_ms, given.fair,
  given.fair_limit, given.waiting_on, given.reason, given.payload
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[], $9::int[], $10::bigint[],
  $11::text[], $12::int[], $13::text[], $14::text[], $15::json[])
  as given (run_id, epoch, kind, priority, concurrency, concurrency_limit, policy, rate, rate_limit, rate_ms, fair, fair_limit,
    waiting_on, reason, payload)
join runs run on run.id = given.run_id
where run.status in ('pending', 'running', 'waiting', 'paused')
on conflict (run_id) do update set
  epoch = excluded.epoch, kind = excluded.kind, payload = excluded.payload, due_at = excluded.due_at, waiting_on = excluded.waiting_on,
  policy = excluded.policy, reason = excluded.reason, admitted_at = null, begun = false, replaced = false
where excluded.kind <> 'run' and old.epoch < excluded.epoch
