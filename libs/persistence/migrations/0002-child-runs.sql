-- Runs that a task of another run started (a round of a map or loop, a sub-workflow), and signals to runs.
alter table runs
  add column parent_run_id uuid,
  add column parent_task text,
  add column parent_attempt int,
  add column parent_index int,
  add column depth int not null default 0;

-- Also what makes the start of a child repeatable.
create unique index runs_by_parent on runs (parent_run_id, parent_task, parent_attempt, parent_index)
  where parent_run_id is not null;

create table signals (
  id bigint generated always as identity,
  run_id uuid not null,
  name text not null,
  payload json not null,
  sender text not null,
  at timestamptz(3) not null default now(),
  -- KEY.ATTEMPT of the task that took it.
  taken_by text,
  constraint signals_pkey primary key (id)
);
create index signals_by_run on signals (run_id, name, id);
