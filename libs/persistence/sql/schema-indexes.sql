-- Indexes of a table that no constraint made, by name.
-- $1 table
-- Result: definition.
select pg_get_indexdef(indexrelid) as definition
from pg_index
where indrelid = $1::text::regclass and not exists (select from pg_constraint where conindid = indexrelid)
order by indexrelid::regclass::text collate "C"
