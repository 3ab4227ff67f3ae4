-- The common commit: it only sets fields of a stored session, and its base is current. Then the header there begins
-- with the base, and that is all there is to compare. Whatever else is the case, the rule below decides.
-- A header is: the base (incarnation, revision, last commit: 22 bytes), the writer (version, registration: 12), flags,
-- origin, created, expires, retained. The commit begins with its base, its revision and id (14), its writer, options.
local args, byte, sub, call = ARGV[1], string.byte, string.sub, redis.call
local times = byte(args, 50)

-- Whether the registration that the commit names is there. Its key begins with that of the session: with the prefix of
-- the store, and then the session's name, whose lengths are in the commit (that of the prefix and one). Where it is in
-- another slot the client asks for it, and sends no lengths.
local function is_registered()
  local after, length = byte(args, 51, 52)
  if after == 0 then return true end
  local place = sub(KEYS[1], 1, after - 1) .. '{#registrations}:' .. sub(KEYS[1], after, after + length - 1)
  return call('HGET', place .. ':' .. struct.unpack('>I4', sub(args, 37, 40)), '#id') == sub(args, 41, 48)
end

if times % 128 >= 64 then
  local key = KEYS[1]
  local found = call('HMGET', key, '#h', '#c')
  local raw, older = found[1], found[2]
  -- Behind seven bytes there are up to seven ids of eight bytes.
  if raw and older and #raw == 64 and #older % 8 == 7 and #older < 64 and sub(raw, 1, 22) == sub(args, 1, 22) and is_registered() then
    local flags = byte(raw, 35)
    -- How long the header is kept when the session has ended: the longest time that a commit asked for.
    local keeps, asked = sub(older, 1, 7), sub(args, 53, 59)
    if keeps ~= asked and struct.unpack('>i7', asked) > struct.unpack('>i7', keeps) then keeps = asked end
    older = keeps .. sub(args, 15, 22) .. sub(older, 8, 55)
    if times == 64 and (flags == 64 or flags == 68) then
      -- It never expires, and goes on so.
      raw = sub(args, 1, 8) .. sub(args, 23, 48) .. sub(raw, 35)
      call('HSET', key, '#h', raw, '#c', older, unpack(ARGV, 2))
      return raw
    elseif times > 64 and (flags == 112 or flags == 116) then
      -- It expires by a rule, and goes on so.
      local time = call('TIME')
      local now = time[1] * 1000 + math.floor(time[2] / 1000)
      local created, before, kept = struct.unpack('>i7i7i7', raw, 44)
      local retention = struct.unpack('>i7', keeps)
      if before > now and retention < 1125899906842624 then
        local inactivity = struct.unpack('>i7', args, 60)
        local expires = now + inactivity
        if times ~= 65 then
          local old = created + struct.unpack('>i7', args, 67)
          if times == 66 or old < expires then expires = old end
        end
        local retained = expires + retention
        raw = sub(args, 1, 8) .. sub(args, 23, 48) .. sub(raw, 35, 50) .. struct.pack('>i7i7', expires, retained)
        call('HSET', key, '#h', raw, '#c', older, unpack(ARGV, 2))
        -- The engine counts in full minutes: most commits need not move its clock.
        local minute = math.floor(retained / 60000)
        if minute ~= math.floor(kept / 60000) then call('PEXPIREAT', key, (minute + 1) * 60000) end
        return raw
      end
    end
  end
end
