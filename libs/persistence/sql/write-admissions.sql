-- Writes what was decided under the locks of the limiters.
-- $1 runs admitted  $2 those of them that their caller sends itself  $3 runs that wait on another limiter  $4 on which  $5 why
with admitted as (
  update admissions set waiting_on = null, reason = null, admitted_at = clock_timestamp()
  where run_id = any ($1::uuid[])
  returning run_id, kind, payload, rate, rate_ms
),
started as (
  insert into rate_starts (limiter, at, ends_at)
  select rate, clock_timestamp(), clock_timestamp() + rate_ms * interval '1 ms' from admitted where rate is not null
),
moved as (
  update admissions set waiting_on = other.waiting_on, reason = other.reason
  from unnest($3::uuid[], $4::text[], $5::text[]) as other (run_id, waiting_on, reason)
  where admissions.run_id = other.run_id
)
insert into outbox (kind, run_id, payload)
select kind, run_id, (coalesce(payload, '{}')::jsonb || '{"admitted":true}')::json from admitted where run_id <> all ($2::uuid[])
