-- Saves a workflow as a new version, unless the newest version has the same document.
-- $1 name  $2 document sha  $3 document (JSON)
-- Result: version, created_at, created; no row when another save of the name came first (try again).
with newest as (
  select version, document_sha, created_at from workflows where name = $1 order by version desc limit 1
),
stored_document as (
  insert into documents (sha, name, document) values ($2::text, $1::text, $3::json) on conflict (sha) do nothing
),
saved as (
  insert into workflows (name, version, document_sha)
  select $1::text, coalesce((select version from newest), 0) + 1, $2::text
  where not exists (select from newest where document_sha = $2)
  on conflict (name, version) do nothing
  returning version, created_at
)
select version, created_at, true as created from saved
union all
select version, created_at, false from newest where document_sha = $2
