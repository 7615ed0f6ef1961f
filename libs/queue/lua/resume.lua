--[[
  Lets a paused run go on, and hands over the jobs that were parked: the caller puts them back into their queues. Called again
  it only hands them over again, for a caller may die before it has: the list stays until the next pause.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id
  Replies: {'ok', epoch, then pairs: key of the job's first task, class}, also when it goes on already | 'no' it is being stopped, or gone
]]
local f = redis.call('HMGET', KEYS[1], 'st', 'ep', 'pk')
if f[1] ~= 'paused' and f[1] ~= 'running' then return 'no' end
if f[1] == 'paused' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'st', 'running', 'at', now)
  redis.call('XADD', KEYS[2], '*', 't', 'run.resumed', 'r', ARGV[1], 'e', f[2], 'm', now, 'd', '{}')
  if tonumber(redis.call('HGET', KEYS[1], 'wt') or 0) > 0 then
    redis.call('XADD', KEYS[2], '*', 't', 'run.waiting', 'r', ARGV[1], 'e', f[2], 'm', now, 'd', '{}')
  end
end
local reply = { 'ok', f[2] }
for key, class in string.gmatch(f[3] or '', '([^|;]+)|([^|;]+);') do
  reply[#reply + 1] = key
  reply[#reply + 1] = class
end
return reply
