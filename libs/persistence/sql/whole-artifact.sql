-- An artifact by its id, whether or not the history tells already that its attempt was recorded.
-- $1 id
select id, run_id, epoch, task_key, attempt, kind, name, media_type, size::float8 as size, sha256, store, object, created_at
from artifacts where id = $1 and size is not null and doomed_at is null
