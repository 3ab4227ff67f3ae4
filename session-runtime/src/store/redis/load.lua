-- Reads a session, and moves its expiry if that is due.
-- KEYS: the session. ARGV: how long sessions live. Answers the time, what was done, and the hash.
local ABSENT, ENDED, FOUND, MOVED, UNMOVED = 0, 1, 2, 3, 4
local key, rule = KEYS[1], {}
local flags, offset, inactivity, creation, renew_after, retention = struct.unpack('>Bi7i7i7i7i7', ARGV[1])
if has(flags, 1) then rule.inactivity = inactivity end
if has(flags, 2) then rule.creation = creation end
rule.retention = retention

local now = clock(offset)
local header, foreign = read(key)
if foreign then return redis.error_reply('CORRUPT ' .. foreign) end
if not header then return { now, ABSENT, {} } end
if not is_live(header, now) then return { now, ENDED, { '#h', header.raw, '#c', header.commits } } end

local done = FOUND
local expires = expires_at(rule, header.created, header.fixed, now)
if header.expires and (not expires or expires - header.expires >= renew_after) then
  header.expires = expires
  header.retained = retained_until(rule, header.state, expires, now)
  -- A server that takes no writes, or has no memory left, still answers reads.
  local set = redis.pcall('HSET', key, '#h', packed(header))
  if type(set) == 'table' and set.err then
    done = UNMOVED
  else
    collect(key, header, offset)
    done = MOVED
  end
end
return { now, done, redis.call('HGETALL', key) }
