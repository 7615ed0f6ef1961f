--[[
  Ends an attempt that will be tried again: the task is not ended, its live mark goes, and it may not begin before the delay.
  KEYS[1] run hash, KEYS[2] event stream, KEYS[3] epoch key
  ARGV: run id, epoch of the run, task key, attempt, delay in ms, data of task.retrying, 1 when the attempt counts for nothing
  Replies: 'ok' | 'repeat' | 'uninitialised' | 'gone' | 'stale' | 'fenced' | 'stopping'
]]
if redis.call('EXISTS', KEYS[3]) == 0 then return 'uninitialised' end
local key = ARGV[3]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st', 'r:' .. key, 'a:' .. key, 'w:' .. key)
if not f[1] then return 'gone' end
if f[1] ~= ARGV[2] then return 'stale' end
if f[4] ~= ARGV[4] or f[3] then return 'fenced' end
if f[2] == 'cancelling' or f[2] == 'failing' then return 'stopping' end
if not f[5] then return 'repeat' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'd:' .. key, now + tonumber(ARGV[5]), 'at', now)
redis.call('HDEL', KEYS[1], 'w:' .. key)
if ARGV[7] == '1' then redis.call('HINCRBY', KEYS[1], 'x:' .. key, 1) end
redis.call('XADD', KEYS[2], '*', 't', 'task.retrying', 'r', ARGV[1], 'e', f[1], 'k', key, 'a', ARGV[4], 'm', now, 'd', ARGV[6])
return 'ok'
