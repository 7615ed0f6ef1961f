-- Children of a task that failed or were cancelled before an attempt of it, with their tasks that did not complete.
-- $1 parent run id  $2 task key  $3 first attempt whose children count  $4 attempt  $5 indexes
-- Result: run_id, epoch, document_sha, tasks: [key, status] each.
select child.id as run_id, child.epoch, child.document_sha,
  coalesce((
    select json_agg(json_build_array(task.key, task.status) order by task.position)
    from tasks task where task.run_id = child.id and task.status <> 'completed'
  ), '[]') as tasks
from runs child
where child.parent_run_id = $1::uuid and child.parent_task = $2 and child.parent_from = $3::int and child.parent_index = any ($5::int[])
  and child.parent_attempt < $4::int and child.status in ('failed', 'cancelled')
order by child.parent_index
