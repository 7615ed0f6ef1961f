-- Commits a batch of events and what follows from them. The row lock of `watermark` puts writers in a row, so that ids
-- rise in the order of commits; a batch that does not start where the watermark stands writes nothing.
-- $1 stream id the watermark has now  $2 stream id of the last entry  $3 number of events
-- events, one element each: $4 run ids  $5 task keys  $6 attempts  $7 types  $8 times (ms)  $9 data (JSON)
-- tasks, one element for each changed task: $10 run ids  $11 keys  $12 epochs  $13 attempts of the last event or null
--   $14 attempts begun or null  $15 statuses  $16 ranks  $17 worker ids  $18 queued $19 started $20 finished at (ms)
--   $21 outputs (JSON)  $22 bytes of an output kept apart  $23 errors (JSON)  $24 reasons
-- runs, one element for each changed run: $25 run ids  $26 epochs  $27 statuses  $28 started $29 finished at (ms)
--   $30 outputs (JSON)  $31 errors (JSON)  $32 reasons
-- tasks again: $33 runs that results were taken over from, or null
-- Result: one row with `base`; the events have the ids base + 1, base + 2, ... No row when the watermark stands elsewhere.
with mark as (
  update watermark set stream_id = $2, last_event_id = last_event_id + $3::int
  where id = 1 and stream_id = $1
  returning last_event_id - $3::int as base
),
written as (
  insert into events (id, run_id, task_key, attempt, type, at, data)
  select mark.base + event.number, event.run_id, event.task_key, event.attempt, event.type,
    to_timestamp(event.at / 1000), event.data
  from mark, unnest($4::uuid[], $5::text[], $6::int[], $7::text[], $8::float8[], $9::json[]) with ordinality
    as event (run_id, task_key, attempt, type, at, data, number)
),
changed_tasks as (
  update tasks task set
    status = change.status,
    epoch = change.epoch,
    attempts = case when change.epoch > task.epoch then coalesce(change.attempts, task.attempts)
      else greatest(task.attempts, change.attempts) end,
    worker_id = coalesce(change.worker_id, case when change.epoch = task.epoch then task.worker_id end),
    queued_at = coalesce(case when change.epoch = task.epoch then task.queued_at end, to_timestamp(change.queued_at / 1000)),
    started_at = coalesce(to_timestamp(change.started_at / 1000), case when change.epoch = task.epoch then task.started_at end),
    finished_at = to_timestamp(change.finished_at / 1000),
    output = change.output,
    output_bytes = change.output_bytes,
    cached_from = change.cached_from,
    error = change.error,
    reason = change.reason
  from mark, unnest($10::uuid[], $11::text[], $12::int[], $13::int[], $14::int[], $15::text[], $16::int[], $17::text[],
    $18::float8[], $19::float8[], $20::float8[], $21::json[], $22::int[], $23::json[], $24::text[], $33::uuid[])
    as change (run_id, key, epoch, attempt, attempts, status, rank, worker_id, queued_at, started_at, finished_at,
      output, output_bytes, error, reason, cached_from)
  where task.run_id = change.run_id and task.key = change.key and (
    change.epoch > task.epoch
    or change.epoch = task.epoch
      and task.status in ('pending', 'queued', 'running', 'retrying')
      and (
        (coalesce(change.attempt, task.attempts), change.rank)
          > (task.attempts, array_position(array['pending', 'queued', 'running', 'retrying'], task.status) - 1)
        -- A task that waits may be told another reason.
        or change.status = 'queued' and task.status = 'queued'
      )
  )
),
changed_runs as (
  update runs run set
    status = change.status,
    epoch = change.epoch,
    started_at = coalesce(run.started_at, to_timestamp(change.started_at / 1000)),
    finished_at = to_timestamp(change.finished_at / 1000),
    outputs = change.outputs,
    error = change.error,
    reason = change.reason
  from mark, unnest($25::uuid[], $26::int[], $27::text[], $28::float8[], $29::float8[], $30::json[], $31::json[], $32::text[])
    as change (run_id, epoch, status, started_at, finished_at, outputs, error, reason)
  where run.id = change.run_id and (
    change.epoch > run.epoch
    or change.epoch = run.epoch and run.status in ('pending', 'running', 'waiting', 'paused')
  )
)
select base from mark
