-- What must be known of a run to act on it.
-- $1 run id
-- Result: status, epoch, document_sha, workflow.
select status, epoch, document_sha, workflow from runs where id = $1
