-- A run with its tasks, seen at one moment. Large columns of the run are in the first row only.
-- $1 run id
-- Result: one row for each task, by position, with the columns of the run beside it; key is null for a run without tasks.
select
  run.id, run.workflow, run.version, run.document_sha, run.epoch, run.forked_from, run.status, run.priority, run.created_at,
  run.reopened_at, run.started_at, run.finished_at, run.schedule, run.tick,
  run.parent_run_id, run.parent_task, run.parent_attempt, run.parent_index,
  case when row_number() over (order by task.position) = 1 then run.tags end as tags,
  case when row_number() over (order by task.position) = 1 then run.inputs end as inputs,
  case when row_number() over (order by task.position) = 1 then run.outputs end as outputs,
  case when row_number() over (order by task.position) = 1 then run.error end as error,
  coalesce(run.reason, admission.reason) as run_reason,
  -- Read as it is: a message may hold what Postgres can't make a text of.
  case when run.status in ('waiting', 'paused') and row_number() over (order by task.position) = 1 then (
    select json_agg(json_build_object('at', (extract(epoch from event.at) * 1000)::bigint, 'data', event.data) order by event.id)
    from events event where event.run_id = run.id and event.type = 'run.waiting'
  ) end as waits,
  task.key, task.status as task_status, task.attempts, task.worker_id, task.queued_at as task_queued_at,
  task.started_at as task_started_at, task.finished_at as task_finished_at,
  task.output, task.cached_from is not null as cached, task.error as task_error, task.reason, kept.output as kept_output,
  case when task.output_bytes is not null then (
    select json_agg(json_build_object('id', artifact.id, 'kind', artifact.kind, 'name', artifact.name, 'size', artifact.size,
      'sha256', artifact.sha256, 'mediaType', artifact.media_type) order by artifact.name)
    from artifacts artifact
    where artifact.run_id = task.run_id and artifact.task_key = task.key and artifact.epoch = task.epoch
      and artifact.attempt = task.attempts and artifact.size is not null and artifact.doomed_at is null
  ) end as artifacts
from runs run
left join admissions admission on admission.run_id = run.id
left join tasks task on task.run_id = run.id
left join outputs kept on task.output is null and task.output_bytes is not null
  and kept.run_id = task.run_id and kept.epoch = task.epoch and kept.task_key = task.key and kept.attempt = task.attempts
where run.id = $1
order by task.position
