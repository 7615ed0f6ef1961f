-- Reruns and forks. Attempts made before a rerun don't count against the retry policy of the task.
alter table runs add column forked_from uuid;
alter table runs add column reopened_at timestamptz(3);
alter table tasks add column attempts_before int not null default 0;
