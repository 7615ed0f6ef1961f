-- Events of a run, in the order of their commits.
-- $1 run id  $2 event id to go on after  $3 limit
select id, type, run_id, task_key, attempt, at, data
from events where run_id = $1 and id > $2 order by id limit $3
