--[[
  Makes the run hash. Called again it changes nothing. Without a guard it does not ask for the epoch key: a recovery makes the
  runs before it lets anybody begin.
  KEYS[1] run hash, KEYS[2] event stream, KEYS[3] epoch key
  ARGV: run id, epoch of the run, guard: ms after which it is too late, '' for none, 'stop' for a run that is made only to be stopped: it never starts; document sha, inputs JSON, tasks that have not ended, on failure, priority,
        type and data of the event that comes before run.started ('' for none),
        number of tasks that wait for nothing, for each of them its key and the data of task.queued,
        then pairs of fields to begin with (what is known from before, when a run is made again; with `st` it is paused, or being stopped)
  Replies: 'created' | 'exists' | with a guard: 'uninitialised' Redis lost its data, 'late'
  Fields of a run hash:
    v version of the plan; below 0 while the run is moved to that version: nobody begins then    vf version that its jobs are of then    up it was moved, what is open is not added yet
    st state: running, cancelling, failing, paused, final    ep epoch    doc document sha    in inputs JSON
    n tasks that have not ended    nc tasks that ended otherwise than completed    nf tasks that failed
    of on failure    pr priority    at last change, ms    fe error of the run, JSON    cr reason of a cancel
    per task: a:K last attempt    w:K live attempt: worker|nonce    r:K how it ended    o:K output JSON, or @ATTEMPT when it
    is kept in Postgres    e:K error JSON or reason    d:K not before, ms    l:K lost attempts    q:K queued event was written
    x:K attempts given back    b:K attempts made before a rerun    pa what started the run: RUN|TASK    wt tasks that wait for a signal, wt:K each
    per task of a scheduler: s:K when its attempt began: ATTEMPT|MS
    per gate: g:I tasks of it that have ended    pk parked jobs: KEY|CLASS; each
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] ~= '' and ARGV[3] ~= 'stop' then
  if redis.call('EXISTS', KEYS[3]) == 0 then return 'uninitialised' end
  if now > tonumber(ARGV[3]) then return 'late' end
end
if redis.call('HSETNX', KEYS[1], 'ep', ARGV[2]) == 0 then return 'exists' end
redis.call('HSET', KEYS[1], 'st', 'running', 'doc', ARGV[4], 'in', ARGV[5], 'n', ARGV[6], 'nc', 0, 'nf', 0,
  'of', ARGV[7], 'pr', ARGV[8], 'at', now)
local behind = 12 + 2 * tonumber(ARGV[11])
for i = behind, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[9] ~= '' then
  redis.call('XADD', KEYS[2], '*', 't', ARGV[9], 'r', ARGV[1], 'e', ARGV[2], 'm', now, 'd', ARGV[10])
end
if ARGV[3] ~= 'stop' then
  redis.call('XADD', KEYS[2], '*', 't', 'run.started', 'r', ARGV[1], 'e', ARGV[2], 'm', now, 'd', '{}')
end
for i = 12, behind - 1, 2 do
  redis.call('HSET', KEYS[1], 'q:' .. ARGV[i], 1)
  redis.call('XADD', KEYS[2], '*', 't', 'task.queued', 'r', ARGV[1], 'e', ARGV[2], 'k', ARGV[i], 'm', now, 'd', ARGV[i + 1])
end
if behind <= #ARGV and redis.call('HGET', KEYS[1], 'st') == 'paused' then
  redis.call('XADD', KEYS[2], '*', 't', 'run.paused', 'r', ARGV[1], 'e', ARGV[2], 'm', now, 'd', '{}')
end
return 'created'
