-- Takes the outbox rows of runs that were not sent to the queue yet: whoever commits this has them for himself. Rows that are just
-- being sent are passed over.
-- $1 run ids
-- Result: run_id
delete from outbox where id in (
  select id from outbox where run_id = any ($1::uuid[]) and kind = 'run' for update skip locked
)
returning run_id
