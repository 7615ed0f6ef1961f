--[[
  Cancels the tasks of a run that is being stopped, but for those that a worker still has: they end when it lets go of them.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id, epoch of the run, reason, then task keys
  Replies: {tasks left, then pairs: task key, live mark} or {-1} when the run is not being stopped
]]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st', 'n')
if f[1] ~= ARGV[2] or (f[2] ~= 'cancelling' and f[2] ~= 'failing') then return { -1 } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = { tonumber(f[3]) }
for i = 4, #ARGV do
  local key = ARGV[i]
  local t = redis.call('HMGET', KEYS[1], 'r:' .. key, 'w:' .. key, 'a:' .. key)
  if not t[1] then
    if t[2] then
      reply[#reply + 1] = key
      reply[#reply + 1] = t[2]
    else
      redis.call('HSET', KEYS[1], 'r:' .. key, 'cancelled', 'e:' .. key, ARGV[3], 'at', now)
      redis.call('XADD', KEYS[2], '*', 't', 'task.cancelled', 'r', ARGV[1], 'e', f[1], 'k', key, 'a', t[3] or 0, 'm', now,
        'd', '{"reason":"' .. ARGV[3] .. '"}')
      redis.call('HINCRBY', KEYS[1], 'nc', 1)
      reply[1] = redis.call('HINCRBY', KEYS[1], 'n', -1)
    end
  end
end
return reply
