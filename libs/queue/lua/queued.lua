--[[
  Writes task.queued for tasks whose segment is about to be added; each once, however often it is released, and not when the
  run is being stopped or the task has ended.
  KEYS[1] run hash, KEYS[2] event stream
  ARGV: run id, epoch of the run, then pairs: task key, data of task.queued
  Replies: how many were written
]]
local f = redis.call('HMGET', KEYS[1], 'ep', 'st')
if f[1] ~= ARGV[2] or (f[2] ~= 'running' and f[2] ~= 'paused') then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local written = 0
for i = 3, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], 'r:' .. ARGV[i]) == 0 and redis.call('HSETNX', KEYS[1], 'q:' .. ARGV[i], 1) == 1 then
    redis.call('XADD', KEYS[2], '*', 't', 'task.queued', 'r', ARGV[1], 'e', ARGV[2], 'k', ARGV[i], 'm', now, 'd', ARGV[i + 1])
    written = written + 1
  end
end
return written
