-- Whether a run may be given an artifact of another run: one of its own tree of runs (those that started it, those that were started
-- there, those it is a fork of), or one that the inputs name with which such a tree was begun.
-- $1 run id  $2 artifact id  $3 id of the run that the artifact is of
with recursive line (id) as (
  select $1::uuid
  union
  select next.id from line join runs on runs.id = line.id
  cross join lateral (values (runs.parent_run_id), (runs.forked_from)) next (id) where next.id is not null
),
owners (id) as (
  select $3::uuid
  union
  select runs.parent_run_id from owners join runs on runs.id = owners.id where runs.parent_run_id is not null
)
select exists (select from line join owners using (id))
  or exists (
    select from line join runs using (id) where runs.parent_run_id is null and position($2::text in runs.inputs::text) > 0
  ) as granted
