-- Removes a schedule; its runs stay.
-- $1 name
delete from schedules where name = $1 returning name
