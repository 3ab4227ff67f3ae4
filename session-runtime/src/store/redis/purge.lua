-- Removes a key whose retention is over by a clock that was moved; the engine removes the others by itself.
-- KEYS: the key. ARGV: the offset. Answers whether it was removed.
local header = read(KEYS[1])
if not header or not header.retained or header.retained > clock(tonumber(ARGV[1])) then return 0 end
call('UNLINK', KEYS[1])
return 1
