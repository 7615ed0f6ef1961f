-- Runs, newest first. Not prepared by name: the planner must see which filters are null.
-- $1 workflow or null  $2 statuses or null  $3 tag or null  $4 run id to go on below, or null  $5 limit
-- $6 parent run id, or null for runs that no other run started  $7 created from or null  $8 created before or null
-- $9 lowest and $10 highest id that runs of that time can have, or null: ids rise with the time, and time has no index
-- $11 schedule or null
select id, workflow, version, status, priority, tags, created_at, started_at, finished_at, schedule, tick,
  forked_from, parent_run_id, parent_task, parent_attempt, parent_index
from runs
where ($1::text is null or workflow = $1)
  and ($2::text[] is null or status = any ($2::text[]))
  and ($3::text is null or (tags <> '{}' and tags @> array[$3::text]))
  and ($4::uuid is null or id < $4)
  and ($6::uuid is null and parent_run_id is null or parent_run_id = $6)
  and ($7::timestamptz is null or created_at >= $7) and ($8::timestamptz is null or created_at < $8)
  and ($9::uuid is null or id >= $9) and ($10::uuid is null or id <= $10)
  and ($11::text is null or schedule = $11)
order by id desc
limit $5
