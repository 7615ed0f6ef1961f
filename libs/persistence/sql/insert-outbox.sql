-- Adds an outbox row. What controls a run comes before what starts runs, of which there may be thousands.
-- $1 kind  $2 run id  $3 payload (JSON) or null  $4 delay in ms
insert into outbox (kind, run_id, payload, not_before)
values ($1, $2, $3, now() + $4::float8 * interval '1 ms'
  - case when $1::text in ('cancel', 'pause', 'resume') then interval '1 hour' else interval '0' end)
