-- The time of the database.
select now() as now
