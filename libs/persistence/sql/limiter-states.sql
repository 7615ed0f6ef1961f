-- How much of each limiter is in use. The caller holds their locks.
-- One element each: $1 names  $2 kinds (concurrency, rate, fair)  $3 limits  $4 windows in ms of rates, else null
-- Result: name, used; of a rate that is used up also `opens`, milliseconds until one more may start.
select limiter.name,
  case limiter.kind
    when 'concurrency' then (
      select count(*) from admissions admission join runs run on run.id = admission.run_id
      where admission.concurrency = limiter.name and (admission.admitted_at is not null or admission.policy = 'reject')
        and run.status in ('pending', 'running', 'waiting', 'paused')
    )
    when 'fair' then (
      select count(*) from admissions admission join runs run on run.id = admission.run_id
      where admission.fair = limiter.name and not admission.begun and admission.admitted_at is not null
        and run.status in ('pending', 'running', 'waiting', 'paused')
    )
    else (
      select count(*) from rate_starts start
      where start.limiter = limiter.name and start.at > clock_timestamp() - limiter.ms * interval '1 ms'
    )
  end::int as used,
  case limiter.kind when 'rate' then (
    select greatest(0, extract(epoch from start.at - clock_timestamp()) * 1000 + limiter.ms)
    from rate_starts start
    where start.limiter = limiter.name
    order by start.at desc offset limiter.most - 1 limit 1
  ) end::float8 as opens
from unnest($1::text[], $2::text[], $3::int[], $4::float8[]) as limiter (name, kind, most, ms)
