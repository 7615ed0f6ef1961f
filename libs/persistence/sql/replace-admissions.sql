-- Of each of some concurrency limiters the newest runs may stay; the older ones are to be cancelled, each told once. The caller
-- holds the locks of the limiters.
-- $1 names  $2 how many may stay of each
with ranked as (
  select admission.run_id, admission.replaced,
    row_number() over newest as place, first_value(admission.run_id) over newest as successor, limiter.most
  from unnest($1::text[], $2::int[]) as limiter (name, most)
  join admissions admission on admission.concurrency = limiter.name
  join runs run on run.id = admission.run_id
  where run.status in ('pending', 'running', 'waiting', 'paused')
  window newest as (partition by admission.concurrency order by admission.due_at desc, admission.run_id desc)
),
marked as (
  update admissions set replaced = true
  from ranked
  where admissions.run_id = ranked.run_id and ranked.place > ranked.most and not ranked.replaced
  returning ranked.run_id, ranked.successor
)
insert into outbox (kind, run_id, payload)
select 'cancel', run_id, json_build_object('reason', 'replaced by the newer run ' || successor) from marked
