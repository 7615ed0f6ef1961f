-- Takes the oldest signal of a name that nobody took, or again the one that the same task took.
-- $1 run id  $2 name  $3 who takes it
-- Result: payload, sender; no row when there is none.
update signals set taken_by = $3
where id = (
  select id from signals
  where run_id = $1::uuid and name = $2 and (taken_by is null or taken_by = $3)
  order by taken_by is null, id
  limit 1
  for update
)
returning payload::text as payload, sender
