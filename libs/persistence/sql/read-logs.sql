-- Log entries of a task, in order.
-- $1 run id  $2 task key  $3 attempt or null for all  $4 event id to go on after  $5 limit
select id, attempt, at, data
from events
where run_id = $1 and id > $4 and task_key = $2 and type = 'task.log' and ($3::int is null or attempt = $3)
order by id limit $5
