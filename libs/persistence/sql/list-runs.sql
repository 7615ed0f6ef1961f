-- Runs, newest first. Not prepared by name: the planner must see which filters are null.
-- $1 workflow or null  $2 status or null  $3 tag or null  $4 run id to go on below, or null  $5 limit
-- $6 parent run id, or null for runs that no other run started
select id, workflow, version, status, priority, tags, created_at, started_at, finished_at, schedule, tick,
  forked_from, parent_run_id, parent_task, parent_attempt, parent_index
from runs
where ($1::text is null or workflow = $1)
  and ($2::text is null or status = $2)
  and ($3::text is null or (tags <> '{}' and tags @> array[$3::text]))
  and ($4::uuid is null or id < $4)
  and ($6::uuid is null and parent_run_id is null or parent_run_id = $6)
order by id desc
limit $5
