-- A page of the artifacts of a run that show, in the order in which they were made.
-- $1 run id  $2 task key or null  $3 id to go on after  $4 limit
select artifact.id, artifact.run_id, artifact.epoch, artifact.task_key, artifact.attempt, artifact.kind, artifact.name,
  artifact.media_type, artifact.size::float8 as size, artifact.sha256, artifact.store, artifact.object, artifact.created_at
from artifacts artifact join tasks task on task.run_id = artifact.run_id and task.key = artifact.task_key
  and task.epoch = artifact.epoch and task.attempts = artifact.attempt and task.status = 'completed'
where artifact.run_id = $1 and ($2::text is null or artifact.task_key = $2) and artifact.id > $3
  and artifact.size is not null and artifact.doomed_at is null
order by artifact.id limit $4
