-- Artifacts that are to go, doomed for so long that no statement which read them before is still at work.
-- $1 store  $2 how many
-- Result: id, object, and whether no other artifact names the object.
select doomed.id, doomed.object, not exists (
  select from artifacts other where other.object = doomed.object and other.doomed_at is null
) as last
from artifacts doomed
where doomed.store = $1 and doomed.doomed_at < now() - interval '2 minutes' order by doomed.doomed_at limit $2
