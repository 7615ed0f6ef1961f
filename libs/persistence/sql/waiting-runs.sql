-- Those of some runs that wait for a limiter.
-- $1 run ids
select run_id from admissions where run_id = any ($1::uuid[]) and waiting_on is not null
