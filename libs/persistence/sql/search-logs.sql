-- Log entries of a run, in order. The text is compared as it stands in the JSON of the entry: that is a first sieve.
-- $1 run id  $2 event id to go on after  $3 task key or null  $4 text as within JSON, or null  $5 limit
-- Both are made small here, by the same rules: those of the database, which may know ASCII alone.
select id, task_key, attempt, at, data from events
where run_id = $1 and id > $2 and type = 'task.log' and ($3::text is null or task_key = $3)
  and ($4::text is null or strpos(lower(data::text), lower($4)) > 0)
order by id limit $5
