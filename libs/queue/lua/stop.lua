--[[
  Begins to cancel a run: from here on begin and record refuse, and all workers are told to stop its attempts.
  KEYS[1] run hash, KEYS[2] control channel
  ARGV: run id, reason
  Replies: 'ok' | 'gone' | 'final'
]]
local state = redis.call('HGET', KEYS[1], 'st')
if not state then return 'gone' end
if state == 'final' then return 'final' end
if state ~= 'failing' then redis.call('HSET', KEYS[1], 'st', 'cancelling', 'cr', ARGV[2]) end
redis.call('PUBLISH', KEYS[2], '{"stop":"' .. ARGV[1] .. '"}')
return 'ok'
