-- Lets tasks start their runs anew with their next attempt: those they have started count no more.
-- One element each: $1 run ids  $2 task keys
update tasks set rounds_from = tasks.attempts + 1
from unnest($1::uuid[], $2::text[]) as anew (run_id, key)
where tasks.run_id = anew.run_id and tasks.key = anew.key
