-- Tells that objects are whole.
-- $1 ids  $2 sizes  $3 hashes
-- Result: one row for each; none for those that were given up in the meantime.
update artifacts set size = done.size, sha256 = done.sha256
from unnest($1::uuid[], $2::bigint[], $3::text[]) as done (id, size, sha256)
where artifacts.id = done.id and artifacts.doomed_at is null
returning artifacts.id
