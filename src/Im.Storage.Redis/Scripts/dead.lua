-- Nodes that do not live any more, for who gets or has the reaper's lock.
-- KEYS: leases, superseded, reaper.  ARGV: reaper, lock in ms.  Returns name and lease of each.
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then
  return {}
end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
local now = millis()
local results = {}
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  if tonumber(fieldsOf(leases[i + 1])[LEASE_UNTIL]) <= now then
    results[#results + 1] = leases[i]
    results[#results + 1] = leases[i + 1]
  end
end
local superseded = redis.call('HGETALL', KEYS[2])
for i = 1, #superseded, 2 do
  results[#results + 1] = fieldsOf(superseded[i])[1]
  results[#results + 1] = superseded[i + 1]
end
return results
