-- A run with its tasks, seen at one moment: the tasks as one value, since a row each would cost most of the time.
-- $1 run id
-- Result: one row, none when there is no such run; tasks: for each task, by position, [key, status, attempts, worker id,
-- queued, started, finished at (ms), output, output that is kept apart (text), whether it was cached, error, reason, artifacts].
select
  run.id, run.workflow, run.version, run.document_sha, run.epoch, run.forked_from, run.status, run.priority, run.created_at,
  run.reopened_at, run.started_at, run.finished_at, run.schedule, run.tick, run.tags, run.inputs, run.outputs, run.error,
  run.parent_run_id, run.parent_task, run.parent_attempt, run.parent_index,
  coalesce(run.reason, admission.reason) as run_reason,
  -- Read as it is: a message may hold what Postgres can't make a text of.
  case when run.status in ('waiting', 'paused') then (
    select json_agg(json_build_object('at', (extract(epoch from event.at) * 1000)::bigint, 'data', event.data) order by event.id)
    from events event where event.run_id = run.id and event.type = 'run.waiting'
  ) end as waits,
  coalesce((
    select json_agg(json_build_array(
      task.key, task.status, task.attempts, task.worker_id,
      (extract(epoch from task.queued_at) * 1000)::bigint, (extract(epoch from task.started_at) * 1000)::bigint,
      (extract(epoch from task.finished_at) * 1000)::bigint,
      task.output, kept.output, task.cached_from is not null, task.error, task.reason,
      case when task.output_bytes is not null then (
        select json_agg(json_build_object('id', artifact.id, 'kind', artifact.kind, 'name', artifact.name, 'size', artifact.size,
          'sha256', artifact.sha256, 'mediaType', artifact.media_type) order by artifact.name)
        from artifacts artifact
        where artifact.run_id = task.run_id and artifact.task_key = task.key and artifact.epoch = task.epoch
          and artifact.attempt = task.attempts and artifact.size is not null and artifact.doomed_at is null
      ) end
    ) order by task.position)
    from tasks task
    left join outputs kept on task.output is null and task.output_bytes is not null
      and kept.run_id = task.run_id and kept.epoch = task.epoch and kept.task_key = task.key and kept.attempt = task.attempts
    where task.run_id = run.id
  ), '[]') as tasks
from runs run
left join admissions admission on admission.run_id = run.id
where run.id = $1
