-- Saves a workflow as a new version, unless the newest version has the same document.
-- $1 name  $2 document sha  $3 document (JSON)
-- $4, $5 tags (`VERSION-SHA`, or `*` for any), or null: the newest version has to have one of $4, and none of $5
-- Result: version and created_at of the version that holds the document, outcome ('created', 'same'); outcome 'refused', with those of
-- the newest version or null, when $4 or $5 do not hold; no row when another save of the name came first (try again).
with newest as (
  select version, document_sha, created_at, array['*', version || '-' || document_sha] as tags
  from workflows where name = $1 order by version desc limit 1
),
outcome as (
  select case
    when exists (select from newest where tags && $5::text[]) then 'refused'
    -- What is asked for is so already: whoever repeats a save whose answer was lost is not refused.
    when exists (select from newest where document_sha = $2) then 'same'
    when $4::text[] is not null and not exists (select from newest where tags && $4::text[]) then 'refused'
    else 'created'
  end as outcome
),
stored_document as (
  insert into documents (sha, name, document)
  select $2::text, $1::text, $3::json from outcome where outcome <> 'refused'
  on conflict (sha) do nothing
),
saved as (
  insert into workflows (name, version, document_sha)
  select $1::text, coalesce((select version from newest), 0) + 1, $2::text
  from outcome where outcome = 'created'
  on conflict (name, version) do nothing
  returning version, created_at
)
select version, created_at, outcome from saved, outcome
union all
select version, created_at, outcome from outcome left join newest on true where outcome <> 'created'
