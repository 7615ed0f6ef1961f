-- Asks for the cancel of runs, each once. These rows come before what starts runs: what is stopped need not be begun first.
-- $1 run ids  $2 payload (JSON)
insert into outbox (kind, run_id, payload, not_before)
select 'cancel', asked.id, $2::json, now() - interval '1 hour' from unnest($1::uuid[]) as asked (id)
where not exists (select from outbox where outbox.run_id = asked.id and outbox.kind = 'cancel')
