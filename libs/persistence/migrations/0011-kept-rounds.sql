-- Runs that a task started stay its own over its attempts: `rounds_from` is the first of its attempts whose runs still count,
-- `parent_from` is that number as it was when a run was started. `parent_attempt` is the last attempt that started the run or opened it again.
alter table tasks add column rounds_from int not null default 1;
alter table runs add column parent_from int;
update runs set parent_from = parent_attempt where parent_run_id is not null;
update tasks set rounds_from = started.attempt
from (select parent_run_id, parent_task, max(parent_attempt) as attempt from runs where parent_attempt > 1 group by 1, 2) started
where tasks.run_id = started.parent_run_id and tasks.key = started.parent_task;

-- Also what makes the start of a child repeatable.
drop index runs_by_parent;
create unique index runs_by_parent on runs (parent_run_id, parent_task, parent_from, parent_index) where parent_run_id is not null;

-- How many runs are active in a limiter is asked with each decision: those that wait for it are not to be read for that.
create index admissions_holding on admissions (concurrency)
  where concurrency is not null and (admitted_at is not null or policy = 'reject');
