-- Newest version of each saved workflow, by name.
-- $1 name to go on after  $2 limit
select distinct on (name) name, version, created_at from workflows
where name > $1
order by name, version desc
limit $2
