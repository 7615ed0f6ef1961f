-- The document that came with a schedule, as text.
-- $1 name
select document::text as document from schedules where name = $1
