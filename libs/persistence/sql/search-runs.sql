-- Runs that a text occurs in or that a worker worked for, newest first, among the next so many that pass the filters: no index
-- serves this, and a look at a bounded number of runs costs the same however many there are.
-- $1 to $10 as in list-runs  $11 how many runs to look through  $12 worker id or null  $13 text or null
-- $14 the same as it stands within JSON  $15 schedule or null
-- Texts are made small here on both sides, by the same rules: those of the database, which may know ASCII alone.
-- Result: `scanned` and `last_scanned` in every row, with a run beside them, or with nulls when none was found.
with page as materialized (
  select * from runs
  where ($1::text is null or workflow = $1)
    and ($2::text[] is null or status = any ($2::text[]))
    and ($3::text is null or (tags <> '{}' and tags @> array[$3::text]))
    and ($4::uuid is null or id < $4)
    and ($6::uuid is null and parent_run_id is null or parent_run_id = $6)
    and ($7::timestamptz is null or created_at >= $7) and ($8::timestamptz is null or created_at < $8)
    and ($9::uuid is null or id >= $9) and ($10::uuid is null or id <= $10)
    and ($15::text is null or schedule = $15)
  order by id desc
  limit $11
),
scan as (
  select count(*)::int as scanned, (select id from page order by id limit 1) as last_scanned from page
)
select scan.scanned, scan.last_scanned,
  run.id, run.workflow, run.version, run.status, run.priority, run.tags, run.created_at, run.started_at, run.finished_at,
  run.schedule, run.tick, run.forked_from, run.parent_run_id, run.parent_task, run.parent_attempt, run.parent_index
from scan left join lateral (
  select * from page
  where ($12::text is null or exists (select from tasks where run_id = page.id and worker_id = $12))
    and ($13::text is null
      or strpos(lower(workflow), lower($13)) > 0
      or starts_with(id::text, lower($13))
      or strpos(lower(array_to_string(tags, E'\n')), lower($13)) > 0
      or strpos(lower(schedule), lower($13)) > 0
      or strpos(lower(reason), lower($13)) > 0
      or strpos(lower(error::text), lower($14)) > 0
      or (pg_column_size(inputs) < 65536 and strpos(lower(inputs::text), lower($14)) > 0))
  order by id desc
  limit $5
) run on true
order by run.id desc
