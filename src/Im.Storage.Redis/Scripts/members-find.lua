-- KEYS: members.  ARGV: the version's mark, ms to keep, users.  Returns false where another version or none is held, else 1 or 0 for each user.
-- The mark is a member of the set itself, so that version and members are there together or not at all, whatever Redis evicts.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
  return false
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local results = {}
for i = 3, #ARGV do
  results[i - 2] = redis.call('SISMEMBER', KEYS[1], ARGV[i])
end
return results
