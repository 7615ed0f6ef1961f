-- Asks for something of all children of a run (of one task, when it is named) that have not ended.
-- $1 parent run id  $2 task key or null  $3 kind of the outbox row  $4 payload (JSON)
-- Result: one row for each child.
insert into outbox (kind, run_id, payload)
select $3, id, $4::json from runs
where parent_run_id = $1::uuid and ($2::text is null or parent_task = $2)
  and status in ('pending', 'running', 'waiting', 'paused')
returning run_id
