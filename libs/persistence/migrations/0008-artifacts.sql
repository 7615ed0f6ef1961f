-- Files and large outputs that attempts have left in the store of artifacts. A row is there before its object, and goes after it.
-- `kind`: file, or output (of the task, too large for a row of `outputs`). `size` and `sha256` are null until the object is whole.
-- `check_at`: when to look whether the attempt was recorded; null once that is settled. `doomed_at`: since when it is to go.
create table artifacts (
  id uuid primary key,
  run_id uuid not null,
  epoch int not null,
  task_key text not null,
  attempt int not null,
  kind text not null,
  name text not null,
  media_type text not null,
  size bigint,
  sha256 text,
  store text not null,
  object text not null,
  created_at timestamptz(3) not null default now(),
  check_at timestamptz(3),
  doomed_at timestamptz(3)
);
create index artifacts_by_attempt on artifacts (run_id, task_key, epoch, attempt);
-- An object may have several rows: a fork reuses results.
create index artifacts_by_object on artifacts (object);
create index artifacts_to_check on artifacts (check_at) where check_at is not null;
create index artifacts_doomed on artifacts (doomed_at) where doomed_at is not null;
