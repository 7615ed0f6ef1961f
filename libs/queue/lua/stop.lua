--[[
  Begins to stop a run: from here on begin and record refuse, and all workers are told to stop its attempts. With an error
  the run is going to fail, without to be cancelled.
  KEYS[1] run hash, KEYS[2] control channel
  ARGV: run id, reason, error JSON or ''
  Replies: 'ok' | 'gone' | 'final'
]]
local state = redis.call('HGET', KEYS[1], 'st')
if not state then return 'gone' end
if state == 'final' then return 'final' end
if state ~= 'failing' and state ~= 'cancelling' then
  if ARGV[3] == '' then redis.call('HSET', KEYS[1], 'st', 'cancelling', 'cr', ARGV[2])
  else redis.call('HSET', KEYS[1], 'st', 'failing', 'fe', ARGV[3]) end
end
redis.call('PUBLISH', KEYS[2], '{"stop":"' .. ARGV[1] .. '"}')
return 'ok'
