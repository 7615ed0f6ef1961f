-- All secrets without their values.
select name, key_id, created_at, updated_at from secrets order by name
