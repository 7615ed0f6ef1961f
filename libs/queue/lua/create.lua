--[[
  Makes the run hash. Called again it changes nothing. Does not ask for the epoch key: a recovery makes the runs before it
  lets anybody begin.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id, epoch of the run, document sha, inputs JSON, tasks that have not ended, on failure, priority,
        type and data of the event that comes before run.started ('' for none),
        number of tasks that wait for nothing, for each of them its key and the data of task.queued,
        then pairs of fields to begin with (what is known from before, when a run is made again)
  Replies: 'created' | 'exists'
  Fields of a run hash:
    v version of the plan; below 0 while the run is moved to that version: nobody begins then    up it was moved, what is open is not added yet
    st state: running, cancelling, failing, paused, final    ep epoch    doc document sha    in inputs JSON
    n tasks that have not ended    nc tasks that ended otherwise than completed    nf tasks that failed
    of on failure    pr priority    at last change, ms    fe error of the run, JSON    cr reason of a cancel
    per task: a:K last attempt    w:K live attempt: worker|nonce    r:K how it ended    o:K output JSON, or @ATTEMPT when it
    is kept in Postgres    e:K error JSON or reason    d:K not before, ms    l:K lost attempts    q:K queued event was written
    x:K attempts given back    b:K attempts made before a rerun    pa what started the run: RUN|TASK    wt tasks that wait for a signal, wt:K each
    per task of a scheduler: s:K when its attempt began: ATTEMPT|MS
    per gate: g:I tasks of it that have ended    pk parked jobs: KEY|CLASS; each
]]
if redis.call('HSETNX', KEYS[1], 'ep', ARGV[2]) == 0 then return 'exists' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'st', 'running', 'doc', ARGV[3], 'in', ARGV[4], 'n', ARGV[5], 'nc', 0, 'nf', 0,
  'of', ARGV[6], 'pr', ARGV[7], 'at', now)
local behind = 11 + 2 * tonumber(ARGV[10])
for i = behind, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[8] ~= '' then
  redis.call('XADD', KEYS[2], '*', 't', ARGV[8], 'r', ARGV[1], 'e', ARGV[2], 'm', now, 'd', ARGV[9])
end
redis.call('XADD', KEYS[2], '*', 't', 'run.started', 'r', ARGV[1], 'e', ARGV[2], 'm', now, 'd', '{}')
for i = 11, behind - 1, 2 do
  redis.call('HSET', KEYS[1], 'q:' .. ARGV[i], 1)
  redis.call('XADD', KEYS[2], '*', 't', 'task.queued', 'r', ARGV[1], 'e', ARGV[2], 'k', ARGV[i], 'm', now, 'd', ARGV[i + 1])
end
return 'created'
