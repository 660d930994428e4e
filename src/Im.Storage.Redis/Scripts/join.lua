-- Takes a node's lease under a new epoch.
-- KEYS: leases, superseded, last epoch.  ARGV: name, instance, version, lease in ms.
-- Returns the epoch ('0' = refused) and the lease of who holds the name.
local now = millis()
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local lease = fieldsOf(held)
  if lease[LEASE_INSTANCE] ~= ARGV[2] then
    if tonumber(lease[LEASE_UNTIL]) > now then
      return { '0', held }
    end
    -- What that process left is removed by a reaper.
    redis.call('HSET', KEYS[2], ARGV[1] .. '\31' .. lease[LEASE_EPOCH], held)
  end
end
-- From the clock, so that epochs rise also after Redis came back empty.
local epoch = math.max(tonumber(redis.call('GET', KEYS[3]) or '0') + 1, now)
redis.call('SET', KEYS[3], text(epoch))
redis.call('HSET', KEYS[1], ARGV[1], table.concat({ ARGV[2], ARGV[3], text(epoch), text(now), text(now + tonumber(ARGV[4])) }, '\31'))
return { text(epoch), '' }
