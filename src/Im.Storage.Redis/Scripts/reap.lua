-- Removes a part of what a dead node left in one bucket.
-- KEYS: sessions, last seen.  ARGV: node, epoch, how long to know last seen in ms, HSCAN's cursor, about how many users to look at.
-- Returns the next cursor, then for each removed session: user, record, how many sessions the user has then.
local epoch = tonumber(ARGV[2])
local now = nil
local page = redis.call('HSCAN', KEYS[1], ARGV[4], 'COUNT', ARGV[5])
local results = { page[1] }
for i = 1, #page[2], 2 do
  local user, packed = page[2][i], page[2][i + 1]
  if string.find(packed, '\31' .. ARGV[1] .. '\31', 1, true) then
    local records = recordsOf(packed)
    local gone = {}
    for n = #records, 1, -1 do
      if records[n][NODE] == ARGV[1] and tonumber(records[n][EPOCH]) <= epoch then
        gone[#gone + 1] = table.remove(records, n)
      end
    end
    if #gone > 0 then
      if #records > 0 then
        redis.call('HSET', KEYS[1], user, pack(records))
      else
        now = now or millis()
        redis.call('HDEL', KEYS[1], user)
        redis.call('ZADD', KEYS[2], text(now), user)
      end
      for n, record in ipairs(gone) do
        results[#results + 1] = user
        results[#results + 1] = table.concat(record, '\31')
        results[#results + 1] = #records + #gone - n
      end
    end
  end
end
if now then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - tonumber(ARGV[3])))
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return results
