-- $1 name
-- Result: one row if there was one.
delete from secrets where name = $1 returning name
