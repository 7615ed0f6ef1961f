-- Keeps an output that is too large for Redis; a repeat changes nothing.
-- $1 run id  $2 epoch  $3 task key  $4 attempt  $5 output (JSON text)
insert into outputs (run_id, epoch, task_key, attempt, output) values ($1, $2, $3, $4, $5)
on conflict (run_id, epoch, task_key, attempt) do nothing
