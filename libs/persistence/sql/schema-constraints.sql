-- Constraints of a table, by kind and name. NOT NULL is part of the columns (only newer servers catalogue it here too).
-- $1 table
-- Result: definition.
select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) as definition
from pg_constraint
where conrelid = $1::text::regclass and contype in ('p', 'u', 'f', 'c', 'x')
order by array_position(array['p', 'u', 'f', 'c', 'x']::"char"[], contype), conname collate "C"
