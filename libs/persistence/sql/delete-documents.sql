-- Deletes documents that are referred to by nothing even now. Only after lock-documents, in the same transaction: a run that
-- is being stored with a document that is there already would lose it.
-- $1 shas
-- Result: one row for each document deleted.
delete from documents where sha = any ($1::text[])
  and not exists (select from runs where runs.document_sha = documents.sha)
  and not exists (select from workflows where workflows.document_sha = documents.sha)
returning sha
