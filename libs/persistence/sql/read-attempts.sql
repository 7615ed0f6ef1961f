-- What events say of the attempts of a run, in order; outputs are left out.
-- $1 run id  $2 event id to go on after  $3 limit
select id, task_key, attempt, type, at, case when type <> 'task.completed' then data else '{}' end as data from events
where run_id = $1 and id > $2 and attempt > 0
  and type in ('task.started', 'task.retrying', 'task.completed', 'task.failed', 'task.cancelled')
order by id limit $3
