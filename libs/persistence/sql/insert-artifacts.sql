-- Announces artifacts that an attempt is about to store; a repeat changes nothing.
-- $1 run id  $2 epoch  $3 task key  $4 attempt  $5 store, and for each: $6 ids  $7 kinds  $8 names  $9 media types  $10 objects
insert into artifacts (id, run_id, epoch, task_key, attempt, kind, name, media_type, store, object, check_at)
select id, $1::uuid, $2::int, $3::text, $4::int, kind, name, media_type, $5::text, object, now() + interval '1 hour'
from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[]) as one (id, kind, name, media_type, object)
on conflict (id) do nothing
