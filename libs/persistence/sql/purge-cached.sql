-- Forgets results whose time is over.
delete from task_cache where expires_at <= now()
