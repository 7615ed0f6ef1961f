-- Those of some runs that still wait, in the order in which they are let in. The caller holds the locks of their limiters.
-- $1 run ids
select admission.run_id, admission.waiting_on, admission.concurrency, admission.concurrency_limit, admission.policy,
  admission.rate, admission.rate_limit, admission.rate_ms, admission.fair, admission.fair_limit
from admissions admission
join runs run on run.id = admission.run_id
where admission.run_id = any ($1::uuid[]) and admission.waiting_on is not null and not admission.replaced
  and run.status in ('pending', 'running', 'waiting', 'paused')
order by admission.priority desc, admission.due_at, admission.run_id
for update of admission
