-- How children of a task ended, in order.
-- $1 parent run id  $2 task key  $3 first attempt whose children count  $4 first index  $5 last index
select id as run_id, parent_index as index, parent_attempt as attempt, status, outputs::text as outputs, error
from runs
where parent_run_id = $1::uuid and parent_task = $2 and parent_from = $3::int and parent_index between $4 and $5
order by parent_index
