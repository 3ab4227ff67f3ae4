-- Registers initial values; what is registered already stays as it is.
-- KEYS: the registration, and the set of all. ARGV: the member of the set, the id, the codec, the fields as names and
-- packed values. A value begins with its place among the fields, which the script numbers on.
local member, id, codec = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HGET', KEYS[1], '#id')
if not known and redis.call('EXISTS', KEYS[1]) == 1 then return redis.error_reply('CORRUPT #id') end
redis.call('SADD', KEYS[2], member)
if not known then redis.call('HSET', KEYS[1], '#id', id, '#codec', codec) end
for index = 4, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[index]) == 0 then
    local place = struct.pack('>I4', redis.call('HLEN', KEYS[1]))
    redis.call('HSET', KEYS[1], ARGV[index], place .. ARGV[index + 1])
  end
end
return redis.call('HGETALL', KEYS[1])
