-- Tables of the current schema, for the dump.
-- Result: name, options (storage parameters or null).
select relname as name, array_to_string(reloptions, ', ') as options
from pg_class
where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace and relname <> 'migrations'
order by relname collate "C"
