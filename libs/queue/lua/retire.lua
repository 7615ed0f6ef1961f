--[[
  Takes a class away that was not announced for long, with what is left of its queue. One with jobs stays: also those that are done
  are of runs that go on.
  KEYS[1] classes, KEYS[2] when each was announced last, then the keys of its queue: first those that are there while it has jobs
  ARGV: class, time before which it must have been announced, how many keys hold jobs
  Replies: 1 it is gone | 0 it is in use
]]
local announced = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not announced or tonumber(announced) >= tonumber(ARGV[2]) then return 0 end
local behind = 3 + tonumber(ARGV[3])
for i = 3, behind - 1 do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
for i = behind, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
