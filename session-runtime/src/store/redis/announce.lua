-- Adds a session to those with a value, before the commit that gives it the value. The score is the time until which that
-- commit may be applied, which is the answer. KEYS: the set of those with the value. ARGV: the session's key, how long
-- from now.
local time = redis.call('TIME')
local till = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
redis.call('ZADD', KEYS[1], 'GT', string.format('%.0f', till), ARGV[1])
return till
