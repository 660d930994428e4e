-- Renews a node's lease.
-- KEYS: leases.  ARGV: name, instance, epoch, lease in ms.  Returns false where it is lost, else name and lease of all who live.
local now = millis()
local held = redis.call('HGET', KEYS[1], ARGV[1])
local lease = held and fieldsOf(held)
if not lease or lease[LEASE_INSTANCE] ~= ARGV[2] or lease[LEASE_EPOCH] ~= ARGV[3] or tonumber(lease[LEASE_UNTIL]) <= now then
  return false
end
lease[LEASE_UNTIL] = text(now + tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], ARGV[1], table.concat(lease, '\31'))
local all = redis.call('HGETALL', KEYS[1])
local results = {}
for i = 1, #all, 2 do
  if tonumber(fieldsOf(all[i + 1])[LEASE_UNTIL]) > now then
    results[#results + 1] = all[i]
    results[#results + 1] = all[i + 1]
  end
end
return results
