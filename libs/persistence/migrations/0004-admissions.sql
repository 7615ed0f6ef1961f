-- Runs with limits of their own (concurrency, rate, fair share) from the moment they are due to their end. A run without has no row.
create table admissions (
  run_id uuid primary key,
  epoch int not null,
  kind text not null,
  payload json,
  priority int not null,
  due_at timestamptz(3) not null,
  concurrency text,
  concurrency_limit int,
  policy text,
  rate text,
  rate_limit int,
  rate_ms bigint,
  fair text,
  fair_limit int,
  waiting_on text,
  reason text,
  admitted_at timestamptz(3),
  begun boolean not null default false,
  replaced boolean not null default false
);
-- The queue before each limiter, in the order in which runs are let in.
create index admissions_waiting on admissions (waiting_on, priority desc, due_at, run_id) where waiting_on is not null;
create index admissions_by_concurrency on admissions (concurrency, due_at, run_id) where concurrency is not null;
create index admissions_not_begun on admissions (fair) where fair is not null and not begun and admitted_at is not null;

-- When runs with a rate limit were let in, as far back as a limit looks.
create table rate_starts (
  id bigint generated always as identity primary key,
  limiter text not null,
  at timestamptz not null,
  ends_at timestamptz not null
);
create index rate_starts_by_limiter on rate_starts (limiter, at);
create index rate_starts_by_end on rate_starts (ends_at);
