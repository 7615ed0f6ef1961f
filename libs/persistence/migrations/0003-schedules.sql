-- Schedules. `handled_until`: all ticks up to then are dealt with; `next_at` is the first one after it, null when none is to
-- come (paused, or over). A document that came with the schedule is kept here: nothing else may hold it between two ticks.
create table schedules (
  name text primary key,
  workflow text not null,
  version int,
  document_sha text,
  document json,
  inputs json not null,
  priority int not null default 0,
  tags text[] not null default '{}',
  cadence json not null,
  catch_up text not null,
  overlap text not null,
  paused boolean not null default false,
  handled_until timestamptz(3) not null,
  next_at timestamptz(3),
  last_at timestamptz(3),
  last_run_id uuid,
  missed bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  last_error json,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
) with (fillfactor = 70);
create index schedules_due on schedules (next_at) where next_at is not null;

-- Which schedule made a run; `tick` is null when it was triggered by hand. A tick has one run at most.
alter table runs add column schedule text, add column tick timestamptz(3);
create unique index runs_by_schedule on runs (schedule, tick) where schedule is not null;
