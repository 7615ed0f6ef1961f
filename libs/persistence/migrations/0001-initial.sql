-- The first schema. JSON that users make (inputs, outputs, errors, events) is `json`, never `jsonb`: jsonb refuses \u0000.
-- Times are timestamptz(3): the contract shows milliseconds.

-- Workflow documents, addressed by their content.
create table documents (
  sha text primary key,
  name text not null,
  document json not null,
  created_at timestamptz(3) not null default now()
);

-- Saved workflows; every change of the document is a version.
create table workflows (
  name text not null,
  version int not null,
  document_sha text not null,
  created_at timestamptz(3) not null default now(),
  primary key (name, version)
);

create table runs (
  id uuid primary key,
  workflow text not null,
  version int,
  document_sha text not null,
  status text not null default 'pending',
  priority int not null default 0,
  on_failure text not null default 'cancel',
  tags text[] not null default '{}',
  inputs json not null,
  outputs json,
  error json,
  reason text,
  epoch int not null default 1,
  task_count int not null,
  created_at timestamptz(3) not null default now(),
  not_before timestamptz(3) not null default now(),
  started_at timestamptz(3),
  finished_at timestamptz(3)
) with (fillfactor = 85);
-- Ids are UUIDv7, so `order by id desc` is newest first.
create index runs_by_workflow on runs (workflow, id);
-- Most runs of a big table are completed; a list of those is read off the primary key. Active and unsuccessful runs are few.
create index runs_active on runs (id) where status in ('pending', 'running', 'waiting', 'paused');
create index runs_unsuccessful on runs (status, id) where status in ('failed', 'cancelled');
create index runs_by_tag on runs using gin (tags) where tags <> '{}';

-- No column that changes is indexed and pages keep room, so that updates stay on their page (HOT).
create table tasks (
  run_id uuid not null,
  key text not null,
  position int not null,
  status text not null default 'pending',
  attempts int not null default 0,
  epoch int not null default 1,
  worker_id text,
  queued_at timestamptz(3),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  output json,
  output_bytes int,
  error json,
  reason text,
  primary key (run_id, key)
) with (fillfactor = 60);

-- What has been decided and is not yet in the queue.
create table outbox (
  id bigint generated always as identity primary key,
  kind text not null,
  run_id uuid not null,
  not_before timestamptz(3) not null default now(),
  payload json,
  created_at timestamptz(3) not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index outbox_due on outbox (not_before, id);
create index outbox_run on outbox (run_id);

-- Ids rise in the order of commits: they are given under the row lock of `watermark`.
create table events (
  id bigint primary key,
  run_id uuid not null,
  task_key text,
  attempt int,
  type text not null,
  at timestamptz(3) not null,
  data json not null
);
create index events_by_run on events (run_id, id);

-- Outputs too large for Redis, written by a worker before it records the attempt.
create table outputs (
  run_id uuid not null,
  epoch int not null,
  task_key text not null,
  attempt int not null,
  output text not null,
  created_at timestamptz(3) not null default now(),
  primary key (run_id, epoch, task_key, attempt)
);

-- Events that could not be stored as they came.
create table faulty_events (
  stream_id text primary key,
  fields text not null,
  error text not null,
  at timestamptz(3) not null default now()
);

create table idempotency_keys (
  key text not null,
  api_key_id uuid not null,
  body_sha text not null,
  run_id uuid not null,
  created_at timestamptz(3) not null default now(),
  primary key (key, api_key_id)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- `hash` is the SHA-256 of the key, in hex; the key itself is never stored.
create table api_keys (
  id uuid primary key,
  name text not null,
  hash text not null unique,
  scopes text[] not null,
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3)
);

-- One row: how far the historian has come, and which Redis it believes.
create table watermark (
  id int primary key default 1 check (id = 1),
  stream_id text not null default '0-0',
  lattice_epoch bigint not null default 0,
  last_event_id bigint not null default 0
) with (fillfactor = 20);
insert into watermark default values;
