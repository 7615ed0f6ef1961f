-- A saved workflow, of the version given or of the newest.
-- $1 name  $2 version or null
select name, version, document_sha, created_at from workflows
where name = $1 and ($2::int is null or version = $2)
order by version desc limit 1
