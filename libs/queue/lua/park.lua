--[[
  Notes a job that came up while its run is paused, so that resume can find it.
  KEYS[1] run hash
  ARGV: epoch of the run, key of the job's first task, class
  Replies: 'ok' | 'no' the run is not paused
]]
local f = redis.call('HMGET', KEYS[1], 'st', 'ep', 'pk')
if f[1] ~= 'paused' or f[2] ~= ARGV[1] then return 'no' end
local list = f[3] or ''
local entry = ARGV[2] .. '|' .. ARGV[3] .. ';'
if not string.find(list, entry, 1, true) then redis.call('HSET', KEYS[1], 'pk', list .. entry) end
return 'ok'
