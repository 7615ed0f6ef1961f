-- The runs that are next before each of some limiters, in their order.
-- $1 names of limiters  $2 runs of each at most
-- Result: run_id, waiting_on, and the limiters of the run: concurrency, rate, fair.
select next.run_id, next.waiting_on, next.concurrency, next.rate, next.fair
from unnest($1::text[]) as limiter (name)
cross join lateral (
  select admission.run_id, admission.waiting_on, admission.concurrency, admission.rate, admission.fair
  from admissions admission
  join runs run on run.id = admission.run_id
  where admission.waiting_on = limiter.name and not admission.replaced
    and run.status in ('pending', 'running', 'waiting', 'paused')
  order by admission.priority desc, admission.due_at, admission.run_id
  limit $2
) next
