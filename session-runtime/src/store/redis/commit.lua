-- Applies a change if its base is current. Nothing is written before everything is validated: what a script wrote
-- stays written when it fails later. The common case has been dealt with before.
-- KEYS: the session, and the one it is renewed to. ARGV: the commit, then names and values to set, then names to
-- remove. Answers the header that a common commit left; or whether it was applied and the header; or the time and what
-- is there, from which the client derives the answer by the same rule.
local REFUSED, APPLIED, OCCUPIED, UNREGISTERED, LATE = 0, 1, 2, 3, 4
local WRITE, DESTROY, RENEW = 0, 1, 2

local base, id, writer = sub(args, 1, 22), sub(args, 29, 36), sub(args, 37, 48)
local options = byte(args, 49)
local retention, inactivity, at = struct.unpack('>i7i7', args, 53)
local function time()
  local value
  value, at = struct.unpack('>i7', args, at)
  return value
end
local action = options % 4
local based_on_record, replace, keep_empty = has(options, 4), has(options, 8), has(options, 16)
local saw = has(options, 32) and sub(base, 1, 8) or nil
local rule = {}
if has(times, 1) then rule.inactivity = inactivity end
if has(times, 2) then rule.creation = time() end
local fixed_end = has(times, 4) and time() or nil
local valid_until = has(times, 16) and time() or nil
local offset = has(times, 32) and time() or 0
local sliding = has(times, 128) and time() or nil
local creates
if has(options, 64) then creates, at = struct.unpack('>c8', args, at) end
local until_then = has(options, 128) and time() or nil
local sets = struct.unpack('>I3', args, at)

local key, target = KEYS[1], KEYS[2]
local now = clock(offset)
local header, foreign = read(key)
if foreign then return redis.error_reply('CORRUPT ' .. foreign) end
local live = header and is_live(header, now)

-- What was applied before is not current any more: it moved the revision, or ended the life that it is based on.
local function is_current()
  if based_on_record then
    return live and header.incarnation == sub(base, 1, 8) and (action == DESTROY or sub(header.raw, 1, 22) == base)
  end
  if live or header and header.incarnation ~= saw or valid_until and valid_until <= now then return false end
  return action ~= DESTROY
end

if not is_current() then return { REFUSED, now, call('HGETALL', key) } end
-- By now the index may have forgotten that it was announced.
if until_then and until_then <= now - offset then return { LATE } end
if action ~= DESTROY and not is_registered() then return { UNREGISTERED } end
local there
if action == RENEW then
  there, foreign = read(target)
  if foreign then return redis.error_reply('CORRUPT ' .. foreign) end
  if there and there.state == STORED and is_live(there, now) then return { OCCUPIED } end
end

-- Everything is validated: what follows writes.
local previous = live and header or nil
local created = previous and previous.created or now
if not has(times, 8) and previous then fixed_end, sliding = previous.fixed_end, previous.sliding end
local expires = expires_at(rule, created, fixed_end, sliding, now)
local after = {
  incarnation = previous and previous.incarnation or creates,
  revision = math.min(previous and previous.revision + 1 or 1, 281474976710655),
  last = id,
  older = older_than_next(header),
  retention = math.max(retention, previous and previous.retention or 0),
  writer = writer,
  origin = saw,
  created = created,
  fixed_end = fixed_end,
  sliding = sliding,
  expires = expires,
}
if previous then after.origin = previous.origin end

-- A script can pass some thousands of arguments to a command; these go in portions, the header with the first.
local PORTION = 1000
local function put(place, written, fields)
  local last = fields and 1 + 2 * sets or 1
  call('HSET', place, '#h', packed(written), '#c', packed_rest(written), unpack(ARGV, 2, math.min(last, 1 + PORTION)))
  for first = 2 + PORTION, last, PORTION do
    call('HSET', place, unpack(ARGV, first, math.min(last, first + PORTION - 1)))
  end
  let_purge(place, written, offset)
end

local function keep_header(state)
  call('UNLINK', key)
  after.state = state
  after.retained = retained_until(after.retention, state, nil, now)
  put(key, after, false)
end

local was_stored = previous and previous.state == STORED and 1 or 0
if action == DESTROY then
  after.writer, after.expires = previous.writer, previous.expires
  keep_header(DESTROYED)
  return { APPLIED, was_stored, told(after) }
end

-- What is left of an ended session is no part of the next one.
local cleared = replace or not previous
if cleared then
  if header then call('UNLINK', key) end
else
  for first = 2 + 2 * sets, #ARGV, PORTION do
    call('HDEL', key, unpack(ARGV, first, math.min(#ARGV, first + PORTION - 1)))
  end
end
local is_empty = sets == 0 and call('HLEN', key) <= 2
local state = is_empty and not keep_empty and EMPTIED or STORED

if action == WRITE then
  after.state = state
  after.retained = retained_until(after.retention, state, expires, now)
  put(key, after, true)
  return { APPLIED, was_stored, told(after) }
end

-- The fields move as they are; the new key begins a life of its own that nobody saw before.
local moved = {}
for name, value in pairs(after) do moved[name] = value end
moved.incarnation, moved.revision, moved.origin, moved.older = creates, 1, creates, older_than_next(there)
moved.state = state
moved.retained = retained_until(after.retention, state, expires, now)
if cleared then
  call('UNLINK', target)
else
  call('RENAME', key, target)
end
put(target, moved, true)
if key ~= target then keep_header(RENEWED) end
return { APPLIED, was_stored, told(moved) }
