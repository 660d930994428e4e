-- What was filled is what is held.
-- KEYS: members, fill.  ARGV: the version's mark, the fill's mark, the filler's mark, ms to keep.
if redis.call('SREM', KEYS[2], ARGV[2]) == 0 then
  return 0
end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[2], ARGV[3])
redis.call('UNLINK', KEYS[1])
redis.call('RENAME', KEYS[2], KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
