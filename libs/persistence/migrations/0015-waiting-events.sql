-- What the tasks of a run wait for is read from its events; there may be a million others.
create index events_waiting on events (run_id, id) where type = 'run.waiting';
