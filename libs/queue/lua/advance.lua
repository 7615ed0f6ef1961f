--[[
  Goes on in a chain: records a task and begins the next one, if the first has completed and the run goes on.
  KEYS[1] run hash, KEYS[2] event stream, KEYS[3] epoch key, KEYS[4] control channel
  ARGV: number of the arguments of record, these, then the arguments of begin
  Replies: {reply of record} | {reply of record, reply of begin}
]]
--- @script record
--- @script begin
local count = tonumber(ARGV[1])
local recorded = record(KEYS, { unpack(ARGV, 2, count + 1) })
if recorded[2] ~= 'completed' or recorded[4] ~= 'running' then return { recorded } end
return { recorded, begin(KEYS, { unpack(ARGV, count + 2) }) }
