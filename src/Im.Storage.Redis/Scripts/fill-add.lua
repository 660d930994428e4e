-- Adds a page to a fill.
-- KEYS: fill.  ARGV: the fill's mark, ms after which it is given up, users.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
  return 0
end
for i = 3, #ARGV do
  redis.call('SADD', KEYS[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
