-- Removes idempotency keys that are no longer valid.
delete from idempotency_keys where created_at < now() - interval '24 hours'
