-- Touches a session whose header is still the one that was read: then nothing else moved its end meanwhile.
-- KEYS: the session. ARGV: the header that was read, the one to replace it, and when the engine may remove the key.
if redis.call('HGET', KEYS[1], '#h') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], '#h', ARGV[2])
if ARGV[3] then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) else redis.call('PERSIST', KEYS[1]) end
return 1
