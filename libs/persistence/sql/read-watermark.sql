-- Result: stream_id, lattice_epoch, last_event_id.
select stream_id, lattice_epoch, last_event_id from watermark
