-- Looks at the sessions in a set: all of them at one moment, or some and where to go on.
-- KEYS: the set. ARGV: the field, where to go on, about how many (none of the two for all). Answers the time, where to go
-- on, and for each session its key, its score, its header, and what the field holds.
local call = redis.call
local time, cursor, entries = call('TIME'), '0', nil
if ARGV[2] then
  local step = call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
  cursor, entries = step[1], step[2]
else
  entries = call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
end
local seen = {}
for at = 1, #entries, 2 do
  local there = call('HMGET', entries[at], '#h', '#c', ARGV[1])
  seen[#seen + 1] = { entries[at], entries[at + 1], there }
end
return { time, cursor, seen }
