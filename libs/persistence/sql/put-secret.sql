-- Stores a secret, in place of one of this name.
-- $1 name  $2 key id  $3 sealed
-- Result: one row, with `created` false when there was one.
insert into secrets (name, key_id, sealed) values ($1, $2, $3)
on conflict (name) do update set key_id = excluded.key_id, sealed = excluded.sealed, updated_at = now()
returning name, key_id, created_at, updated_at, (xmax = 0) as created
