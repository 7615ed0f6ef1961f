-- A result that may still be used.
-- $1 key
select run_id, output from task_cache where key = $1 and expires_at > now()
