-- Whether a run refers to a document is found by an index.
create index runs_by_document on runs (document_sha);
