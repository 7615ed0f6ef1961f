-- Makes the outbox row that sends a run due now.
-- $1 run id
update outbox set not_before = now() where kind = 'run' and run_id = $1 and not_before > now()
