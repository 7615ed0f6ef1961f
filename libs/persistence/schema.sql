-- What the migrations make, read from the catalogue of a migrated database. Generated: change a migration, not this file.

create table admissions (
  run_id uuid not null,
  epoch integer not null,
  kind text not null,
  payload json,
  priority integer not null,
  due_at timestamp(3) with time zone not null,
  concurrency text,
  concurrency_limit integer,
  policy text,
  rate text,
  rate_limit integer,
  rate_ms bigint,
  fair text,
  fair_limit integer,
  waiting_on text,
  reason text,
  admitted_at timestamp(3) with time zone,
  begun boolean not null default false,
  replaced boolean not null default false,
  constraint admissions_pkey PRIMARY KEY (run_id)
);
CREATE INDEX admissions_by_concurrency ON public.admissions USING btree (concurrency, due_at, run_id) WHERE (concurrency IS NOT NULL);
CREATE INDEX admissions_holding ON public.admissions USING btree (concurrency) WHERE ((concurrency IS NOT NULL) AND ((admitted_at IS NOT NULL) OR (policy = 'reject'::text)));
CREATE INDEX admissions_not_begun ON public.admissions USING btree (fair) WHERE ((fair IS NOT NULL) AND (NOT begun) AND (admitted_at IS NOT NULL));
CREATE INDEX admissions_waiting ON public.admissions USING btree (waiting_on, priority DESC, due_at, run_id) WHERE (waiting_on IS NOT NULL);

create table api_keys (
  id uuid not null,
  name text not null,
  hash text not null,
  scopes text[] not null,
  created_at timestamp(3) with time zone not null default now(),
  last_used_at timestamp(3) with time zone,
  revoked_at timestamp(3) with time zone,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_hash_key UNIQUE (hash)
);

create table artifacts (
  id uuid not null,
  run_id uuid not null,
  epoch integer not null,
  task_key text not null,
  attempt integer not null,
  kind text not null,
  name text not null,
  media_type text not null,
  size bigint,
  sha256 text,
  store text not null,
  object text not null,
  created_at timestamp(3) with time zone not null default now(),
  check_at timestamp(3) with time zone,
  doomed_at timestamp(3) with time zone,
  constraint artifacts_pkey PRIMARY KEY (id)
);
CREATE INDEX artifacts_by_attempt ON public.artifacts USING btree (run_id, task_key, epoch, attempt);
CREATE INDEX artifacts_by_object ON public.artifacts USING btree (object);
CREATE INDEX artifacts_doomed ON public.artifacts USING btree (doomed_at) WHERE (doomed_at IS NOT NULL);
CREATE INDEX artifacts_to_check ON public.artifacts USING btree (check_at) WHERE (check_at IS NOT NULL);

create table documents (
  sha text not null,
  name text not null,
  document json not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint documents_pkey PRIMARY KEY (sha)
);

create table events (
  id bigint not null,
  run_id uuid not null,
  task_key text,
  attempt integer,
  type text not null,
  at timestamp(3) with time zone not null,
  data json not null,
  constraint events_pkey PRIMARY KEY (id)
);
CREATE INDEX events_by_run ON public.events USING btree (run_id, id);
CREATE INDEX events_waiting ON public.events USING btree (run_id, id) WHERE (type = 'run.waiting'::text);

create table faulty_events (
  stream_id text not null,
  fields text not null,
  error text not null,
  at timestamp(3) with time zone not null default now(),
  constraint faulty_events_pkey PRIMARY KEY (stream_id)
);

create table idempotency_keys (
  key text not null,
  api_key_id uuid not null,
  body_sha text not null,
  run_id uuid not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint idempotency_keys_pkey PRIMARY KEY (key, api_key_id)
);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);

create table outbox (
  id bigint not null generated always as identity,
  kind text not null,
  run_id uuid not null,
  not_before timestamp(3) with time zone not null default now(),
  payload json,
  created_at timestamp(3) with time zone not null default now(),
  constraint outbox_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=2000);
CREATE INDEX outbox_due ON public.outbox USING btree (not_before, id);
CREATE INDEX outbox_run ON public.outbox USING btree (run_id);

create table outputs (
  run_id uuid not null,
  epoch integer not null,
  task_key text not null,
  attempt integer not null,
  output text not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint outputs_pkey PRIMARY KEY (run_id, epoch, task_key, attempt)
);

create table rate_starts (
  id bigint not null generated always as identity,
  limiter text not null,
  at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  constraint rate_starts_pkey PRIMARY KEY (id)
);
CREATE INDEX rate_starts_by_end ON public.rate_starts USING btree (ends_at);
CREATE INDEX rate_starts_by_limiter ON public.rate_starts USING btree (limiter, at);

create table runs (
  id uuid not null,
  workflow text not null,
  version integer,
  document_sha text not null,
  status text not null default 'pending'::text,
  priority integer not null default 0,
  on_failure text not null default 'cancel'::text,
  tags text[] not null default '{}'::text[],
  inputs json not null,
  outputs json,
  error json,
  reason text,
  epoch integer not null default 1,
  task_count integer not null,
  created_at timestamp(3) with time zone not null default now(),
  not_before timestamp(3) with time zone not null default now(),
  started_at timestamp(3) with time zone,
  finished_at timestamp(3) with time zone,
  parent_run_id uuid,
  parent_task text,
  parent_attempt integer,
  parent_index integer,
  depth integer not null default 0,
  schedule text,
  tick timestamp(3) with time zone,
  forked_from uuid,
  reopened_at timestamp(3) with time zone,
  parent_from integer,
  stopping json,
  constraint runs_pkey PRIMARY KEY (id)
) with (fillfactor=85);
CREATE INDEX runs_active ON public.runs USING btree (id) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text, 'waiting'::text, 'paused'::text]));
CREATE INDEX runs_by_document ON public.runs USING btree (document_sha);
CREATE UNIQUE INDEX runs_by_parent ON public.runs USING btree (parent_run_id, parent_task, parent_from, parent_index) WHERE (parent_run_id IS NOT NULL);
CREATE UNIQUE INDEX runs_by_schedule ON public.runs USING btree (schedule, tick) WHERE (schedule IS NOT NULL);
CREATE INDEX runs_by_tag ON public.runs USING gin (tags) WHERE (tags <> '{}'::text[]);
CREATE INDEX runs_by_workflow ON public.runs USING btree (workflow, id);
CREATE INDEX runs_unsuccessful ON public.runs USING btree (status, id) WHERE (status = ANY (ARRAY['failed'::text, 'cancelled'::text]));

create table schedules (
  name text not null,
  workflow text not null,
  version integer,
  document_sha text,
  document json,
  inputs json not null,
  priority integer not null default 0,
  tags text[] not null default '{}'::text[],
  cadence json not null,
  catch_up text not null,
  overlap text not null,
  paused boolean not null default false,
  handled_until timestamp(3) with time zone not null,
  next_at timestamp(3) with time zone,
  last_at timestamp(3) with time zone,
  last_run_id uuid,
  missed bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  last_error json,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint schedules_pkey PRIMARY KEY (name)
) with (fillfactor=70);
CREATE INDEX schedules_due ON public.schedules USING btree (next_at) WHERE (next_at IS NOT NULL);

create table secrets (
  name text not null,
  key_id text not null,
  sealed bytea not null,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint secrets_pkey PRIMARY KEY (name)
);

create table signals (
  id bigint not null generated always as identity,
  run_id uuid not null,
  name text not null,
  payload json not null,
  sender text not null,
  at timestamp(3) with time zone not null default now(),
  taken_by text,
  constraint signals_pkey PRIMARY KEY (id)
);
CREATE INDEX signals_by_run ON public.signals USING btree (run_id, name, id);

create table task_cache (
  key text not null,
  workflow text not null,
  task_key text not null,
  run_id uuid not null,
  output text not null,
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone not null,
  constraint task_cache_pkey PRIMARY KEY (key)
);
CREATE INDEX task_cache_by_end ON public.task_cache USING btree (expires_at);
CREATE INDEX task_cache_by_task ON public.task_cache USING btree (workflow, task_key);

create table tasks (
  run_id uuid not null,
  key text not null,
  position integer not null,
  status text not null default 'pending'::text,
  attempts integer not null default 0,
  epoch integer not null default 1,
  worker_id text,
  queued_at timestamp(3) with time zone,
  started_at timestamp(3) with time zone,
  finished_at timestamp(3) with time zone,
  output json,
  output_bytes integer,
  error json,
  reason text,
  attempts_before integer not null default 0,
  cached_from uuid,
  rounds_from integer not null default 1,
  constraint tasks_pkey PRIMARY KEY (run_id, key)
) with (fillfactor=60);

create table watermark (
  id integer not null default 1,
  stream_id text not null default '0-0'::text,
  lattice_epoch bigint not null default 0,
  last_event_id bigint not null default 0,
  constraint watermark_pkey PRIMARY KEY (id),
  constraint watermark_id_check CHECK ((id = 1))
) with (fillfactor=20);

create table workflows (
  name text not null,
  version integer not null,
  document_sha text not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint workflows_pkey PRIMARY KEY (name, version)
);
