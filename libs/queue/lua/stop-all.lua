--[[
  Cancels runs of one document, each at once and for good where no attempt of it is live: its tasks are cancelled, and it ends. One
  with live attempts is being stopped from here on, as by stop.lua and settle.lua, and its workers are told. An attempt that only
  waits holds nobody and has started nothing: it is not live here.
  KEYS[1] event stream, KEYS[2] epoch key, KEYS[3] control channel, then the run hashes
  ARGV: reason, number of tasks of the document, how many of them only wait, their keys, these first, then for each run: its id,
  its epoch
  Replies: 'uninitialised' Redis lost its data | for each run:
    'final' it has ended    'live' attempts of it are live    'failing' it was failing already, and is for others to end
    'gone' it is not in Redis, or only its last time is
]]
if redis.call('EXISTS', KEYS[2]) == 0 then return 'uninitialised' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count = tonumber(ARGV[2])
local waits = tonumber(ARGV[3])
local fields = {}
for i = 4, count + 3 do
  fields[#fields + 1] = 'r:' .. ARGV[i]
  fields[#fields + 1] = 'w:' .. ARGV[i]
  fields[#fields + 1] = 'a:' .. ARGV[i]
end

local function stop(run, id, epoch)
  local f = redis.call('HMGET', run, 'ep', 'st', 'n', 'cr', 'pa')
  if not f[1] or tonumber(f[1]) < tonumber(epoch) then return 'gone' end
  local state = f[2]
  if state == 'final' or state == 'failing' then return state end
  local reason = f[4] or ARGV[1]
  local t = redis.call('HMGET', run, unpack(fields))
  local left, live = tonumber(f[3]), 0
  local ended = {}
  for i = 1, count do
    if not t[3 * i - 2] then
      if t[3 * i - 1] and i > waits then
        live = live + 1
      else
        left = left - 1
        ended[#ended + 1] = 'r:' .. ARGV[i + 3]
        ended[#ended + 1] = 'cancelled'
        ended[#ended + 1] = 'e:' .. ARGV[i + 3]
        ended[#ended + 1] = 'cancelled'
        redis.call('XADD', KEYS[1], '*', 't', 'task.cancelled', 'r', id, 'e', f[1], 'k', ARGV[i + 3], 'a', t[3 * i] or 0, 'm', now,
          'd', '{"reason":"cancelled"}')
      end
    end
  end
  if #ended > 0 then redis.call('HINCRBY', run, 'nc', #ended / 4) end
  if left > 0 then
    redis.call('HSET', run, 'st', 'cancelling', 'cr', reason, 'n', left, 'at', now, unpack(ended))
    redis.call('PUBLISH', KEYS[3], '{"stop":"' .. id .. '"}')
    return 'live'
  end
  -- Whoever still finds a job of it learns from the state that nothing is to be done.
  redis.call('HSET', run, 'st', 'final', 'cr', reason, 'n', 0, 'at', now)
  redis.call('XADD', KEYS[1], '*', 't', 'run.cancelled', 'r', id, 'e', f[1], 'm', now, 'd', cjson.encode({ reason = reason }),
    'p', f[5] or '')
  return 'final'
end

local reply = {}
for i = 4, #KEYS do
  local at = count + 4 + 2 * (i - 4)
  reply[#reply + 1] = stop(KEYS[i], ARGV[at], ARGV[at + 1])
end
return reply
