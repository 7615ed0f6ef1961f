-- An artifact that shows: its task completed with that attempt.
-- $1 id
select artifact.id, artifact.run_id, artifact.epoch, artifact.task_key, artifact.attempt, artifact.kind, artifact.name,
  artifact.media_type, artifact.size::float8 as size, artifact.sha256, artifact.store, artifact.object, artifact.created_at
from artifacts artifact join tasks task on task.run_id = artifact.run_id and task.key = artifact.task_key
  and task.epoch = artifact.epoch and task.attempts = artifact.attempt and task.status = 'completed'
where artifact.id = $1 and artifact.size is not null and artifact.doomed_at is null
