-- Raises the epoch of the platform, after Redis was lost or found to be older.
-- $1 stream id where the historian goes on, or null to leave it
-- Result: stream_id, lattice_epoch, last_event_id.
update watermark set lattice_epoch = lattice_epoch + 1, stream_id = coalesce($1::text, stream_id)
returning stream_id, lattice_epoch, last_event_id
