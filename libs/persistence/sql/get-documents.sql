-- Workflow documents by their shas.
-- $1 shas
-- Result: sha, document as text.
select sha, document::text as document from documents where sha = any ($1::text[])
