-- A run, and of its tasks only what a summary needs: as one value, since a row each would cost most of the time.
-- $1 run id
-- Result: one row, none when there is no such run; times: [key, status, attempts, started, finished at (ms)] for each task.
select
  run.id, run.workflow, run.version, run.document_sha, run.epoch, run.forked_from, run.status, run.priority, run.created_at,
  run.reopened_at, run.started_at, run.finished_at, run.schedule, run.tick, run.tags, run.inputs, run.outputs, run.error,
  run.parent_run_id, run.parent_task, run.parent_attempt, run.parent_index,
  coalesce(run.reason, admission.reason) as run_reason,
  coalesce((
    select json_agg(json_build_array(
      task.key, task.status, task.attempts,
      round(extract(epoch from task.started_at) * 1000), round(extract(epoch from task.finished_at) * 1000)
    ) order by task.position)
    from tasks task where task.run_id = run.id
  ), '[]') as times
from runs run
left join admissions admission on admission.run_id = run.id
where run.id = $1
