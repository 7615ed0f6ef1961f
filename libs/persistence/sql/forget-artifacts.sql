-- Deletes rows of artifacts whose objects are gone.
-- $1 ids
delete from artifacts where id = any ($1::uuid[]) and doomed_at is not null
