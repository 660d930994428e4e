-- Moves members to the next version.
-- KEYS: members.  ARGV: the version's mark, the next one's, ms to keep, how many are added, the added, the removed.
if redis.call('SREM', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('SADD', KEYS[1], ARGV[2])
local added = tonumber(ARGV[4])
for i = 5, #ARGV do
  redis.call(i < 5 + added and 'SADD' or 'SREM', KEYS[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
