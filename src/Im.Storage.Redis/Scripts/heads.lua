-- Remembers heads of one bucket for the nodes.
-- KEYS: this period's heads.  ARGV: ms until they are forgotten, then for each timeline: its name, its head, 1 = also where it is lower.
for i = 2, #ARGV, 3 do
  local known = ARGV[i + 2] ~= '1' and redis.call('HGET', KEYS[1], ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
