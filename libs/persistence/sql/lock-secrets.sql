-- All secrets that are sealed with other keys, kept from being changed until the end of the transaction.
-- $1 key id
select name, key_id, sealed from secrets where key_id <> $1 order by name for update
