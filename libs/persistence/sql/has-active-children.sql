-- Whether a run that a task of the run started goes on.
-- $1 parent run id
-- Result: active
select exists (
  select from runs where parent_run_id = $1::uuid and status in ('pending', 'running', 'waiting', 'paused')
) as active
