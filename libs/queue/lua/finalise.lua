--[[
  Ends a run, once, when every task has ended and the state is still the one that the caller judged by.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id, epoch of the run, state expected, type of the event, data of the event
  Replies: 'ok' | 'open' tasks are left | 'changed' the state is another | 'final' it had ended | 'gone'
]]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st', 'n', 'pa')
if not f[1] or f[1] ~= ARGV[2] then return 'gone' end
if f[2] == 'final' then return 'final' end
if tonumber(f[3]) > 0 then return 'open' end
if f[2] ~= ARGV[3] then return 'changed' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'st', 'final', 'at', now)
redis.call('XADD', KEYS[2], '*', 't', ARGV[4], 'r', ARGV[1], 'e', f[1], 'm', now, 'd', ARGV[5], 'p', f[4] or '')
return 'ok'
