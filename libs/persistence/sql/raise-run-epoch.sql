-- Raises the epoch of a run that is rebuilt: jobs and results of the older epoch are then refused.
-- $1 run id
-- Result: epoch; no row when the run has ended.
update runs set epoch = epoch + 1
where id = $1 and status in ('pending', 'running', 'waiting', 'paused')
returning epoch
