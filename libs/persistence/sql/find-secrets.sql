-- Secrets, still sealed.
-- $1 names
select name, key_id, sealed from secrets where name = any($1::text[])
