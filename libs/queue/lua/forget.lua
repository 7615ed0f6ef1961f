--[[
  Deletes a run hash, if it is still that of the epoch given: a rerun may have made a new one.
  KEYS[1] run hash
  ARGV: epoch of the run
  Replies: 1 deleted, 0 not
]]
if redis.call('HGET', KEYS[1], 'ep') ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
