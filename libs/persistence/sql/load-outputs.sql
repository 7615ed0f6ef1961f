-- Outputs kept apart, by address.
-- $1 run ids  $2 epochs  $3 task keys  $4 attempts
-- Result: one row for each address, in order; output is null when there is none.
select kept.output
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[]) with ordinality as wanted (run_id, epoch, task_key, attempt, number)
left join outputs kept using (run_id, epoch, task_key, attempt)
order by wanted.number
