-- Gives a lease back.
-- KEYS: leases.  ARGV: name, epoch, 1 where the node's sessions are all gone.
local held = redis.call('HGET', KEYS[1], ARGV[1])
local lease = held and fieldsOf(held)
if not lease or lease[LEASE_EPOCH] ~= ARGV[2] then
  return 0
end
if ARGV[3] == '1' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  -- Dead from now on, until a reaper has removed what is left.
  lease[LEASE_UNTIL] = '0'
  redis.call('HSET', KEYS[1], ARGV[1], table.concat(lease, '\31'))
end
return 1
