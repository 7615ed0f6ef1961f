--[[
  Takes entries that are committed to Postgres out of the event stream, and notes how far.
  KEYS[1] event stream, KEYS[2] mark
  ARGV: the two numbers of the id of the last entry that is committed, id of the first one to be kept
  Replies: how many were taken out
  Without that entry nothing is done: it was taken out already, or this is an older Redis, which must not be told that it has
  what it has not. The mark never goes back: a writer that lost its place may come late.
]]
local id = ARGV[1] .. '-' .. ARGV[2]
if #redis.call('XRANGE', KEYS[1], id, id) == 0 then return 0 end
local ms, sequence = string.match(redis.call('GET', KEYS[2]) or '0-0', '(%d+)-(%d+)')
local passed = tonumber(ms) > tonumber(ARGV[1]) or (ms == ARGV[1] and tonumber(sequence) > tonumber(ARGV[2]))
if not passed then redis.call('SET', KEYS[2], id) end
return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[3])
