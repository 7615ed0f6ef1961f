-- Adds an outbox row that is about one task, unless there is one of the kind for this task and epoch already.
-- $1 kind  $2 run id  $3 payload (JSON with taskKey and epoch)  $4 delay in ms
insert into outbox (kind, run_id, payload, not_before)
select $1::text, $2::uuid, $3::json, now() + $4::float8 * interval '1 ms'
where not exists (
  select from outbox
  where run_id = $2::uuid and kind = $1::text and payload ->> 'taskKey' = $3::json ->> 'taskKey'
    and payload ->> 'epoch' = $3::json ->> 'epoch'
)
