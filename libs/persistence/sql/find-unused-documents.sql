-- Looks through a bounded number of documents, by sha, for those that no run and no version of a workflow refers to. A schedule has its
-- document with it.
-- $1 sha to go on after  $2 how many to look through
-- Result: one row: scanned, last_scanned (null when there was none), and shas as a list.
with page as (
  select sha from documents where sha > $1 order by sha limit $2
)
select count(*)::int as scanned, max(sha) as last_scanned,
  coalesce(json_agg(sha) filter (where
    not exists (select from runs where runs.document_sha = page.sha)
    and not exists (select from workflows where workflows.document_sha = page.sha)
  ), '[]') as shas
from page
