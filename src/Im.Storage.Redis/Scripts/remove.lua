-- Removes exactly these sessions of one bucket.
-- KEYS: sessions, last seen.  ARGV: how long to know last seen in ms, then for each session its user and its record.
-- Returns for each: 1 where it was there, how many sessions the user has now.
local keep = tonumber(ARGV[1])
local now = nil
local results = {}
for i = 2, #ARGV, 2 do
  local user, gone = ARGV[i], fieldsOf(ARGV[i + 1])
  local records = recordsOf(redis.call('HGET', KEYS[1], user))
  local removed = 0
  for n = #records, 1, -1 do
    local record = records[n]
    if record[DEVICE] == gone[DEVICE] and record[NODE] == gone[NODE] and record[EPOCH] == gone[EPOCH] and record[CONNECTION] == gone[CONNECTION] then
      table.remove(records, n)
      removed = 1
    end
  end
  if removed == 1 then
    if #records > 0 then
      redis.call('HSET', KEYS[1], user, pack(records))
    else
      now = now or millis()
      redis.call('HDEL', KEYS[1], user)
      redis.call('ZADD', KEYS[2], text(now), user)
    end
  end
  results[#results + 1] = { removed, #records }
end
if now then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - keep))
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
return results
