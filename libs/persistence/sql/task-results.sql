-- What history knows of the tasks of a run, to rebuild it in the queue.
-- $1 run id
select key, position, status, epoch, attempts, output::text as output, output_bytes, error, reason, started_at,
  attempts_before
from tasks where run_id = $1 order by position
