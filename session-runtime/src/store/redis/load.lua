-- Reads a session, and touches it if that is due.
-- KEYS: the session. ARGV: how long sessions live. Answers the time, what was done, and the hash.
local ABSENT, ENDED, FOUND, TOUCHED, UNTOUCHED = 0, 1, 2, 3, 4
local key, rule = KEYS[1], {}
local flags, offset, inactivity, creation, touch_after, retention = struct.unpack('>Bi7i7i7i7i7', ARGV[1])
if has(flags, 1) then rule.inactivity = inactivity end
if has(flags, 2) then rule.creation = creation end
rule.retention = retention
local touches = has(flags, 4)

local now = clock(offset)
local found = call('HGETALL', key)
if not found[1] then return { now, ABSENT, found } end
-- A small hash begins with both; in a large one they are anywhere.
local raw_at, raw, commits
for at = 1, #found, 2 do
  local name = found[at]
  if name == '#h' then
    raw_at, raw = at + 1, found[at + 1]
  elseif name == '#c' then
    commits = found[at + 1]
  end
  if raw and commits then break end
end
local header, foreign = header_of(raw, commits)
if not header then return redis.error_reply('CORRUPT ' .. foreign) end
if not is_live(header, now) then return { now, ENDED, { '#h', raw, '#c', commits } } end

local expires = expires_at(rule, header.created, header.fixed_end, now)
if not touches or not header.expires or (expires and expires - header.expires < touch_after) then
  return { now, FOUND, found }
end
header.expires = expires
header.retained = retained_until(rule, header.state, expires, now)
-- A server that takes no writes, or has no memory left, still answers reads.
local touched = packed(header)
local set = redis.pcall('HSET', key, '#h', touched)
if type(set) == 'table' and set.err then return { now, UNTOUCHED, found } end
let_purge(key, header, offset)
found[raw_at] = touched
return { now, TOUCHED, found }
