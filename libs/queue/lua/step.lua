--[[
  When the attempt of a task that schedulers do was begun; noted by the first step of it.
  KEYS[1] run hash
  ARGV: epoch of the run, task key, attempt
  Replies: {begun at, now} in ms | {} the attempt is over
]]
local key = ARGV[2]
local f = redis.call('HMGET', KEYS[1], 'ep', 'a:' .. key, 'r:' .. key, 's:' .. key)
if f[1] ~= ARGV[1] or f[2] ~= ARGV[3] or f[3] then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local attempt, begun = string.match(f[4] or '', '^(%d+)|(%d+)$')
if attempt ~= ARGV[3] then
  begun = now
  redis.call('HSET', KEYS[1], 's:' .. key, ARGV[3] .. '|' .. string.format('%d', now))
end
return { tonumber(begun), now }
