-- Takes sessions out of a set, unless they were added again since they were looked at.
-- KEYS: the set. ARGV: keys of sessions, and the scores that they had.
for at = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if tonumber(score) == tonumber(ARGV[at + 1]) then redis.call('ZREM', KEYS[1], ARGV[at]) end
end
return 1
