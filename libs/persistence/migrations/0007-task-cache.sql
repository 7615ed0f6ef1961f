-- Outputs of tasks that ask for it, by the identity of what was asked; shared by all workers.
create table task_cache (
  key text primary key,
  workflow text not null,
  task_key text not null,
  run_id uuid not null,
  output text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null
);
create index task_cache_by_task on task_cache (workflow, task_key);
create index task_cache_by_end on task_cache (expires_at);

-- The run whose result the task has taken over.
alter table tasks add column cached_from uuid;
