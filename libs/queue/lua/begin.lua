--[[
  Begins an attempt of a task: issues its fencing token (the number of the attempt), or says why not.
  KEYS[1] run hash, KEYS[2] event stream, KEYS[3] epoch key
  ARGV: run id, epoch of the run, task key, live mark (worker|nonce), data of task.started, most unread events,
        most lost attempts, 1 when inputs are wanted, version of the plan, 1 when a live attempt of this mark goes on in a pause,
        then keys of tasks whose results are wanted
  Replies: {'ok', attempt, attempts that don't count, inputs or '', then per key: result, output, error}
    {'uninitialised'} Redis lost its data     {'gone'} the run has ended and was cleared away
    {'stale'} the job is of an older epoch    {'recorded'} the task has ended already
    {'version', v} the run goes by plans of another version: no gate may be counted by this one
    {'cancelling'|'failing'|'paused'|'final'} the state of the run forbids it
    {'early', ms} not before so long, or a run above this one is being stopped, and this one is next
    {'busy'} too many events are unread
    {'lost', attempt, lost attempts, worker} too many attempts were lost: record a failure with that attempt
  What has begun may end while its run is moved to another version: its call may be repeated.
  A live mark that is still there tells that its worker was lost; the same mark means that only the reply was lost, or that its
  worker comes back with the attempt. A pause holds up what begins, not such an attempt.
]]
if redis.call('EXISTS', KEYS[3]) == 0 then return { 'uninitialised' } end
local key = ARGV[3]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st', 'r:' .. key, 'a:' .. key, 'w:' .. key, 'd:' .. key, 'l:' .. key, 'x:' .. key, 'v', 'pa')
if not f[1] then return { 'gone' } end
if f[1] ~= ARGV[2] then return { 'stale' } end
if f[9] ~= ARGV[9] and f[5] ~= ARGV[4] and (f[2] == 'running' or f[2] == 'paused') then return { 'version', f[9] or '0' } end
if f[3] then return { 'recorded' } end
local goes = f[2] == 'paused' and f[5] == ARGV[4] and ARGV[10] == '1'
if f[2] ~= 'running' and not goes then return { f[2] } end

-- Whoever stops a run goes through those below it: until it comes here, nothing takes the places that come free.
local function stopsAbove(parent)
  while parent do
    local id = string.match(parent, '^[^|]*')
    local above = redis.call('HMGET', string.sub(KEYS[1], 1, -#ARGV[1] - 1) .. id, 'st', 'pa')
    if above[1] == 'cancelling' or above[1] == 'failing' then return true end
    parent = above[2]
  end
  return false
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local attempt = tonumber(f[4] or 0)
local lost = tonumber(f[7] or 0)
if f[5] ~= ARGV[4] then
  if f[6] and tonumber(f[6]) > now then return { 'early', tonumber(f[6]) - now } end
  if stopsAbove(f[10]) then return { 'early', 1000 } end
  if redis.call('XLEN', KEYS[2]) > tonumber(ARGV[6]) then return { 'busy' } end
  if f[5] then
    lost = lost + 1
    redis.call('HSET', KEYS[1], 'l:' .. key, lost)
    local worker = string.match(f[5], '^[^|]*')
    if lost >= tonumber(ARGV[7]) then return { 'lost', attempt, lost, worker } end
    redis.call('XADD', KEYS[2], '*', 't', 'task.retrying', 'r', ARGV[1], 'e', f[1], 'k', key, 'a', attempt, 'm', now, 'd',
      '{"delay":0,"error":{"code":"worker_lost","message":"worker ' .. worker .. ' was lost","retryable":true}}')
  end
  attempt = attempt + 1
  redis.call('HSET', KEYS[1], 'a:' .. key, attempt, 'w:' .. key, ARGV[4], 'at', now)
  if f[6] then redis.call('HDEL', KEYS[1], 'd:' .. key) end
  redis.call('XADD', KEYS[2], '*', 't', 'task.started', 'r', ARGV[1], 'e', f[1], 'k', key, 'a', attempt, 'm', now,
    'd', ARGV[5])
end
local reply = { 'ok', attempt, lost + tonumber(f[8] or 0), '' }
if ARGV[8] == '1' then reply[4] = redis.call('HGET', KEYS[1], 'in') end
if #ARGV > 10 then
  local fields = {}
  for i = 11, #ARGV do
    fields[#fields + 1] = 'r:' .. ARGV[i]
    fields[#fields + 1] = 'o:' .. ARGV[i]
    fields[#fields + 1] = 'e:' .. ARGV[i]
  end
  local values = redis.call('HMGET', KEYS[1], unpack(fields))
  for i = 1, #values do reply[#reply + 1] = values[i] or '' end
end
return reply
