-- KEYS: room, replay of the priority.  ARGV: priority, after seq, limit, not before ms.
-- Returns epoch, head, first seq, messages; an empty epoch where the room is not known.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return { '', '0', '1' }
end
local head = tonumber(redis.call('HGET', KEYS[1], 'seq' .. ARGV[1]) or '0')
local kept = 0
if redis.call('HGET', KEYS[1], 'replay' .. ARGV[1]) == epoch then
  kept = redis.call('LLEN', KEYS[2])
end
local now = redis.call('TIME')
local age = tonumber(redis.call('HGET', KEYS[1], 'age') or '0')
local oldest = math.max(tonumber(ARGV[4]), tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) - age)
local count = math.min(kept, tonumber(ARGV[3]), math.max(head - tonumber(ARGV[2]), 0))
local items = count > 0 and redis.call('LRANGE', KEYS[2], -count, -1) or {}
local results = { epoch, string.format('%.0f', head), '' }
for _, item in ipairs(items) do
  local space = string.find(item, ' ', 1, true)
  -- Times rise: after the first that is young enough all are.
  if #results > 3 or tonumber(string.sub(item, 1, space - 1)) >= oldest then
    results[#results + 1] = string.sub(item, space + 1)
  end
end
results[3] = string.format('%.0f', head - (#results - 3) + 1)
return results
