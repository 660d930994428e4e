-- Begins to fill a group's members.
-- KEYS: members, fill.  ARGV: the version's mark, the fill's mark, the filler's mark, ms after which a fill is given up.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
  return 0
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  if redis.call('SISMEMBER', KEYS[2], ARGV[3]) == 0 then
    return 0
  end
  -- The same one begins again.
  redis.call('UNLINK', KEYS[2])
end
redis.call('SADD', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
