--[[
  Notes that what is open of a run which was moved to another version is in the queues.
  KEYS[1] run hash
  ARGV: epoch of the run
  Replies: 1 noted, 0 not: it is of another epoch by now
]]
if redis.call('HGET', KEYS[1], 'ep') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'up')
