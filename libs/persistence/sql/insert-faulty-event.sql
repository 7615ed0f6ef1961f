-- Keeps an event that Postgres refused.
-- $1 stream id  $2 fields as text  $3 error
insert into faulty_events (stream_id, fields, error) values ($1, $2, $3)
on conflict (stream_id) do nothing
