-- Runs each command that the other scripts use, on keys of its own, so that a user who may not run one of them is told
-- so before a session depends on it. KEYS: two keys that nobody else uses.
local one, other = KEYS[1], KEYS[2]
local soon = redis.call('TIME')[1] * 1000 + 10000
redis.call('UNLINK', one, other)
redis.call('HSET', one, '#h', '', '#c', '')
redis.call('PERSIST', one)
redis.call('PEXPIREAT', one, string.format('%.0f', soon))
redis.call('HMGET', one, '#h', '#c')
redis.call('HGET', one, '#h')
redis.call('HEXISTS', one, '#h')
redis.call('HGETALL', one)
redis.call('HDEL', one, '#c')
redis.call('HLEN', one)
redis.call('RENAME', one, other)
redis.call('EXISTS', other)
redis.call('UNLINK', one, other)
redis.call('SADD', one, '')
redis.call('SREM', one, '')
redis.call('ZADD', other, 'GT', 1, '')
redis.call('ZRANGE', other, 0, -1, 'WITHSCORES')
redis.call('ZSCAN', other, '0', 'COUNT', 1)
redis.call('ZSCORE', other, '')
redis.call('ZREM', other, '')
return 1
