-- A commit that waits for the disk, and with it for all commits before it.
select pg_logical_emit_message(true, 'lattice', '') is not null as flushed
