-- Asks whether a node is still dead, and forgets it when nothing of it is left.
-- KEYS: leases, superseded.  ARGV: name, epoch, 1 = forget it.  Returns 1 where it is dead.
local now = millis()
local held = redis.call('HGET', KEYS[1], ARGV[1])
local lease = held and fieldsOf(held)
if lease and lease[LEASE_EPOCH] == ARGV[2] then
  if tonumber(lease[LEASE_UNTIL]) > now then
    return 0
  end
  if ARGV[3] == '1' then
    redis.call('HDEL', KEYS[1], ARGV[1])
  end
end
if ARGV[3] == '1' then
  redis.call('HDEL', KEYS[2], ARGV[1] .. '\31' .. ARGV[2])
end
return 1
