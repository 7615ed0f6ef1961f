-- Looks through a bounded number of runs, oldest first, for those that have ended for longer than they are kept.
-- $1 run id to go on after  $2 highest id to look at  $3 how many to look through
-- $4 completed, $5 failed, $6 cancelled before this time; null keeps them
-- Result: one row: scanned, last_scanned (null when there was none), and runs as a list of [id, number of tasks].
with page as (
  select id, status, finished_at, task_count, parent_run_id from runs
  where id > $1 and id <= $2 order by id limit $3
)
select count(*)::int as scanned, (select id from page order by id desc limit 1) as last_scanned,
  coalesce(json_agg(json_build_array(id, task_count) order by id) filter (where
    finished_at < case status when 'completed' then $4::timestamptz when 'failed' then $5::timestamptz
      when 'cancelled' then $6::timestamptz end
    -- What a run that has not ended still needs of the runs that it started.
    and not exists (select from runs parent where parent.id = page.parent_run_id
      and parent.status in ('pending', 'running', 'waiting', 'paused'))
  ), '[]') as runs
from page
