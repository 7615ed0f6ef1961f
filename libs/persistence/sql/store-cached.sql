-- Keeps a result for a time; the newest one of a key stays.
-- $1 key  $2 workflow  $3 task key  $4 run id  $5 output (JSON text)  $6 ms until it is over
insert into task_cache (key, workflow, task_key, run_id, output, expires_at)
values ($1, $2, $3, $4, $5, now() + $6::float8 * interval '1 ms')
on conflict (key) do update set
  run_id = excluded.run_id, output = excluded.output, created_at = now(), expires_at = excluded.expires_at
