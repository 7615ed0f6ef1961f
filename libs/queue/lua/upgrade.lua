--[[
  Moves a run that is held up to the version of the caller, under a new epoch: its gates are those of the new plan. What has ended
  stays ended; attempts of the old epoch are refused from here on. What is open is to be added to the queues then, and moved.lua
  called; until that the field `up` says that it may not be there.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id, epoch of the run, version of the caller, tasks left when the counts were made, data of run.recovered, then for
        each gate of the new plan how many of its tasks have ended
  Replies: 'ok' | 'changed' a task has ended meanwhile, or it is not held up for this version: look again
]]
local f = redis.call('HMGET', KEYS[1], 'ep', 'v', 'st', 'n', 'wt')
if f[1] ~= ARGV[2] or f[2] ~= '-' .. ARGV[3] or f[4] ~= ARGV[4] then return 'changed' end
if f[3] ~= 'running' and f[3] ~= 'paused' then return 'changed' end
local fields = redis.call('HKEYS', KEYS[1])
local known = {}
for i = 1, #fields do known[fields[i]] = true end
local old = { 'pk', 'vf' }
for i = 1, #fields do
  local kind, name = string.match(fields[i], '^([gq]):(.+)$')
  -- What waits in a queue is told anew, as it is added anew; not what schedulers are in the midst of.
  if kind == 'g' or (kind == 'q' and not known['r:' .. name] and not known['w:' .. name]) then old[#old + 1] = fields[i] end
end
for i = 1, #old, 1000 do redis.call('HDEL', KEYS[1], unpack(old, i, math.min(i + 999, #old))) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = string.format('%d', f[1] + 1)
redis.call('HSET', KEYS[1], 'ep', epoch, 'v', ARGV[3], 'up', 1, 'at', now)
for i = 6, #ARGV do
  if ARGV[i] ~= '0' then redis.call('HSET', KEYS[1], 'g:' .. (i - 6), ARGV[i]) end
end
local function tell(type, data)
  redis.call('XADD', KEYS[2], '*', 't', type, 'r', ARGV[1], 'e', epoch, 'm', now, 'd', data)
end
tell('run.recovered', ARGV[5])
tell('run.started', '{}')
if f[3] == 'paused' then tell('run.paused', '{}')
elseif tonumber(f[5] or 0) > 0 then tell('run.waiting', '{}') end
return 'ok'
