-- What the scripts of a session have in common: its header in field #h; in field #c how long the header is kept when the
-- session has ended (7 bytes), the sliding lifetime of the session's own, if it has one (7 bytes), and the ids of the
-- commits before the last, newest first. While a session with a lifetime of its own is stored, the first of these stands
-- in #h, as the time between two of its times, and not in #c, so that no field is longer than 64 bytes.
-- Ids are eight bytes and compared as strings, because a number of Lua holds no more than 53 bits.
-- A header begins with what a commit names as its base (22 bytes), and with who wrote it (12: version, registration).
local HEADER = '>c8I6c8c12Bc8i7i7i7'
local FORMAT, STORED, EMPTIED, DESTROYED, RENEWED = 64, 0, 1, 2, 3
local ORIGIN, FIXED_END, EXPIRES, RETAINED, SLIDING = 4, 8, 16, 32, 128
local LATEST, NO_ID = 9007199254740991, '\0\0\0\0\0\0\0\0'

local call, sub = redis.call, string.sub

local function clock(offset)
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + offset
end

local function plus(time, millis)
  return math.min(time + millis, LATEST)
end

local function has(flags, flag)
  return flags % (flag + flag) >= flag
end

-- The header in these two fields, or nothing and the name of the field that is not ours.
local function header_of(raw, older)
  if not raw or #raw ~= 64 then return nil, '#h' end
  local incarnation, revision, last, writer, flags, origin, created, expires, retained = struct.unpack(HEADER, raw)
  if not has(flags, FORMAT) then return nil, '#h' end
  local slides = has(flags, SLIDING)
  local is_short = slides and flags % 4 == STORED
  local ids = older and #older - (slides and not is_short and 14 or 7)
  if not ids or ids < 0 or ids % 8 ~= 0 or ids > 56 then return nil, '#c' end
  return {
    raw = raw,
    incarnation = incarnation,
    revision = revision,
    last = last,
    retention = is_short and retained - expires or struct.unpack('>i7', older),
    sliding = slides and struct.unpack('>i7', older, is_short and 1 or 8) or nil,
    older = sub(older, #older - ids + 1),
    writer = writer,
    state = flags % 4,
    origin = has(flags, ORIGIN) and origin or nil,
    created = created,
    fixed_end = has(flags, FIXED_END) and expires or nil,
    expires = has(flags, EXPIRES) and expires or nil,
    retained = has(flags, RETAINED) and retained or nil,
  }
end

-- The header of a key; nothing if there is no such key.
local function read(key)
  local found = call('HMGET', key, '#h', '#c')
  if not found[1] and not found[2] and call('EXISTS', key) == 0 then return nil end
  return header_of(found[1], found[2])
end

local function packed(header)
  local flags = FORMAT + header.state
  if header.origin then flags = flags + ORIGIN end
  if header.fixed_end then flags = flags + FIXED_END end
  if header.expires then flags = flags + EXPIRES end
  if header.retained then flags = flags + RETAINED end
  if header.sliding then flags = flags + SLIDING end
  return struct.pack(HEADER, header.incarnation, header.revision, header.last, header.writer, flags,
    header.origin or NO_ID, header.created, header.expires or 0, header.retained or 0)
end

local function packed_sliding(header)
  return header.sliding and struct.pack('>i7', header.sliding) or ''
end

-- What stands in #c.
local function packed_rest(header)
  local retention = header.sliding and header.state == STORED and '' or struct.pack('>i7', header.retention)
  return retention .. packed_sliding(header) .. header.older
end

-- A header as the answer to a commit tells of it.
local function told(header)
  return packed(header) .. packed_sliding(header)
end

local function is_live(header, now)
  return header.state <= EMPTIED and not (header.expires and header.expires <= now)
end

local function expires_at(rule, created, fixed_end, sliding, now)
  if fixed_end then return fixed_end end
  local inactivity = sliding or rule.inactivity
  local idle = inactivity and plus(now, inactivity)
  local old = rule.creation and plus(created, rule.creation)
  if idle and old then return math.min(idle, old) end
  return idle or old
end

local function retained_until(retention, state, expires, now)
  if state ~= STORED then return plus(now, retention) end
  return expires and plus(expires, retention)
end

-- The ids of the commits before the next one at a key that holds this header.
local function older_than_next(header)
  return header and header.last .. sub(header.older, 1, 48) or ''
end

-- Lets the engine remove the key within a minute after its retention is over: at a full minute, so that commits that
-- follow each other need not say so each time. The engine's clock is not moved by the offset.
local function let_purge(key, header, offset)
  if header.retained then
    local minute = math.floor((header.retained - offset) / 60000)
    call('PEXPIREAT', key, string.format('%.0f', (minute + 1) * 60000))
  else
    call('PERSIST', key)
  end
end
