-- Id of the last event of a run, 0 when there is none.
-- $1 run id
select coalesce(max(id), 0) as id from events where run_id = $1
