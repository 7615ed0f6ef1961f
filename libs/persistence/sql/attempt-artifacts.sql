-- What an attempt has left, whole.
-- $1 run id  $2 epoch  $3 task key  $4 attempt
select id, run_id, epoch, task_key, attempt, kind, name, media_type, size::float8 as size, sha256, store, object, created_at
from artifacts
where run_id = $1 and epoch = $2 and task_key = $3 and attempt = $4 and size is not null and doomed_at is null
order by name
