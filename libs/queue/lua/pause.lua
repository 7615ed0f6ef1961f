--[[
  Pauses a run: begin refuses from here on, records are still taken. The list of parked jobs begins anew.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id
  Replies: 'ok' | 'no' the run is not running
]]
local f = redis.call('HMGET', KEYS[1], 'st', 'ep')
if f[1] ~= 'running' then return 'no' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'st', 'paused', 'at', now)
redis.call('HDEL', KEYS[1], 'pk')
redis.call('XADD', KEYS[2], '*', 't', 'run.paused', 'r', ARGV[1], 'e', f[2], 'm', now, 'd', '{}')
return 'ok'
