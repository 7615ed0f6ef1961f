--[[
  THE COMMIT POINT of an attempt. Stores how a task ended if its token is still good, writes the event, counts down gates, and
  returns every gate of the task that is open - also when called again, so that a crash before the release loses nothing.
  KEYS[1] run hash, KEYS[2] event stream, KEYS[3] epoch key, KEYS[4] control channel
  ARGV: run id, epoch of the run, task key, attempt (0: never begun; idle: the last one, while none is live), status, output JSON or @ATTEMPT or '',
        error JSON or reason or '', data of the event, bytes of an output kept in Postgres or '',
        data of run.completed or '', then for each gate: gate, number of tasks it waits for, number of tasks that wait for it
        and are queued when it opens, for each of them its key and the data of task.queued
  Replies: {'ok'|'repeat', status stored, tasks left, state of the run, ended otherwise than completed, then open gates}
    {'uninitialised'} {'gone'} {'stale'} {'fenced'} another attempt is on, or another result stands
  A task that is decided upon at its gate is idle: it may have attempts of before a rerun.
  A run that is being stopped takes no success: the task is recorded as cancelled, unless its attempt failed by itself.
  When no task is left and all have completed, the run ends here, if the caller could say what with; the state is then final.
  While all have completed, tasks behind a gate are told as queued here: nothing but the release is to be done for them.
  The first failure of a run that is to be cancelled by it moves the run to failing and tells all workers to stop it.
]]
if redis.call('EXISTS', KEYS[3]) == 0 then return { 'uninitialised' } end
local key, attempt, status = ARGV[3], ARGV[4], ARGV[5]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st', 'r:' .. key, 'a:' .. key, 'n', 'nc', 'of', 'pa', 'w:' .. key)
if not f[1] then return { 'gone' } end
if f[1] ~= ARGV[2] then return { 'stale' } end
if attempt == 'idle' and not f[9] then attempt = f[4] or '0' end
if (f[4] or '0') ~= attempt then return { 'fenced' } end
local fresh = not f[3]
local left, others, state = tonumber(f[5]), tonumber(f[6]), f[2]
local now
if fresh then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
  local data, output, err = ARGV[8], ARGV[6], ARGV[7]
  if (state == 'cancelling' or state == 'failing') and status ~= 'failed' then
    local reason = state == 'failing' and 'run_failed' or 'cancelled'
    status, output, err, data = 'cancelled', '', reason, '{"reason":"' .. reason .. '"}'
  end
  redis.call('HSET', KEYS[1], 'r:' .. key, status, 'at', now)
  if output ~= '' then redis.call('HSET', KEYS[1], 'o:' .. key, output) end
  if err ~= '' then redis.call('HSET', KEYS[1], 'e:' .. key, err) end
  redis.call('HDEL', KEYS[1], 'w:' .. key)
  left = redis.call('HINCRBY', KEYS[1], 'n', -1)
  if status ~= 'completed' then others = redis.call('HINCRBY', KEYS[1], 'nc', 1) end
  redis.call('XADD', KEYS[2], '*', 't', 'task.' .. status, 'r', ARGV[1], 'e', f[1], 'k', key, 'a', attempt, 'm', now, 'd', data,
    'b', status == 'completed' and ARGV[9] or '')
  if status == 'failed' then
    redis.call('HINCRBY', KEYS[1], 'nf', 1)
    if f[7] == 'cancel' and (state == 'running' or state == 'paused') then
      state = 'failing'
      redis.call('HSET', KEYS[1], 'st', state, 'fe', err, 'ft', key)
      redis.call('PUBLISH', KEYS[4], '{"stop":"' .. ARGV[1] .. '"}')
    end
  end
elseif f[3] ~= status and not ((f[3] == 'cancelled') and (state == 'cancelling' or state == 'failing')) then
  return { 'fenced' }
else
  status = f[3]
end
if fresh and left == 0 and others == 0 and state == 'running' and ARGV[10] ~= '' then
  state = 'final'
  redis.call('HSET', KEYS[1], 'st', state)
  redis.call('XADD', KEYS[2], '*', 't', 'run.completed', 'r', ARGV[1], 'e', f[1], 'm', now, 'd', ARGV[10],
    'p', f[8] or '')
end
local reply = { fresh and 'ok' or 'repeat', status, left, state, others }
local i = 11
while i <= #ARGV do
  local behind = i + 3 + 2 * tonumber(ARGV[i + 2])
  local count
  if fresh then count = redis.call('HINCRBY', KEYS[1], 'g:' .. ARGV[i], 1)
  else count = tonumber(redis.call('HGET', KEYS[1], 'g:' .. ARGV[i]) or 0) end
  if count >= tonumber(ARGV[i + 1]) then
    reply[#reply + 1] = ARGV[i]
    if fresh and others == 0 then
      for t = i + 3, behind - 1, 2 do
        if redis.call('HSETNX', KEYS[1], 'q:' .. ARGV[t], 1) == 1 then
          redis.call('XADD', KEYS[2], '*', 't', 'task.queued', 'r', ARGV[1], 'e', f[1], 'k', ARGV[t], 'm', now, 'd', ARGV[t + 1])
        end
      end
    end
  end
  i = behind
end
return reply
