--[[
  Notes that a task waits for a signal, or does so no more. A run is waiting while one of its tasks is.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id, epoch of the run, task key, 'open' or 'close', data of run.waiting
  Replies: 1 noted, 0 not: it was so already, or the run is being stopped
]]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st')
if f[1] ~= ARGV[2] or (f[2] ~= 'running' and f[2] ~= 'paused') then return 0 end
local field = 'wt:' .. ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[4] == 'open' then
  if redis.call('HSETNX', KEYS[1], field, 1) == 0 then return 0 end
  redis.call('HINCRBY', KEYS[1], 'wt', 1)
  redis.call('XADD', KEYS[2], '*', 't', 'run.waiting', 'r', ARGV[1], 'e', f[1], 'm', now, 'd', ARGV[5])
  return 1
end
if redis.call('HDEL', KEYS[1], field) == 0 then return 0 end
if redis.call('HINCRBY', KEYS[1], 'wt', -1) == 0 and f[2] == 'running' then
  redis.call('XADD', KEYS[2], '*', 't', 'run.resumed', 'r', ARGV[1], 'e', f[1], 'm', now, 'd', '{}')
end
return 1
