--[[
  Holds a run up that goes by plans of an older version: nobody begins a task of it from here on, what has begun may end and be
  recorded. The first step of moving it to another version; upgrade.lua is the second.
  KEYS[1] run hash
  ARGV: epoch of the run, version of the caller
  Replies: 'ok' it is held up (also when it was) | 'no' it is gone, of another epoch, not older, or is being stopped or has ended
]]
local f = redis.call('HMGET', KEYS[1], 'ep', 'v', 'st')
if f[1] ~= ARGV[1] or (f[3] ~= 'running' and f[3] ~= 'paused') then return 'no' end
local version, own = tonumber(f[2] or 0), tonumber(ARGV[2])
if version == own or math.abs(version) > own then return 'no' end
if version > 0 then redis.call('HSET', KEYS[1], 'vf', version) end
redis.call('HSET', KEYS[1], 'v', -own)
return 'ok'
