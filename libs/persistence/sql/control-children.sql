-- Asks for something of all children of a run (of one task, when it is named) that have not ended, unless it is asked already.
-- These rows come before what starts runs: what is stopped need not be begun first.
-- $1 parent run id  $2 task key or null  $3 kind of the outbox row  $4 payload (JSON)
-- Result: one row for each child that has not ended: run_id, and whether it was asked now.
with active as (
  select id as run_id from runs
  where parent_run_id = $1::uuid and ($2::text is null or parent_task = $2)
    and status in ('pending', 'running', 'waiting', 'paused')
),
asked as (
  insert into outbox (kind, run_id, payload, not_before)
  select $3, run_id, $4::json, now() - interval '1 hour' from active
  where $3 <> 'cancel' or not exists (select from outbox where outbox.run_id = active.run_id and outbox.kind = 'cancel')
  returning run_id
)
select active.run_id, asked.run_id is not null as asked from active left join asked using (run_id)
