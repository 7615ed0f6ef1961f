-- An API key that is not revoked, by the hash of its secret.
-- $1 hash
select id, name, scopes, created_at, last_used_at, revoked_at from api_keys where hash = $1 and revoked_at is null
