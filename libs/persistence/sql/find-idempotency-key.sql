-- The run that an idempotency key stands for.
-- $1 key  $2 API key id
-- Result: run_id, body_sha; no row when the key is free.
select run_id, body_sha from idempotency_keys
where key = $1 and api_key_id = $2 and created_at >= now() - interval '24 hours'
