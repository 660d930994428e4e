-- Numbers messages of a room, keeps them for replay and publishes them, in one step.
-- KEYS: room, replay of the priority.
-- ARGV: channel, priority, a new room's nonce, messages to keep, ms to keep them, ms to keep the room, messages.
-- Returns the epoch and the first message's seq.
local now = redis.call('TIME')
local ms = string.format('%.0f', tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000))
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  -- What a lost room left behind belongs to its epoch.
  redis.call('DEL', KEYS[2])
  epoch = ms .. '-' .. ARGV[3]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
local count = #ARGV - 6
local head = redis.call('HINCRBY', KEYS[1], 'seq' .. ARGV[2], count)
local first = head - count + 1
local keep, age = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HGET', KEYS[1], 'replay' .. ARGV[2]) ~= epoch then
  -- The other priority began the epoch.
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'replay' .. ARGV[2], epoch)
end
local lengths = {}
for i = 7, #ARGV do
  lengths[i - 6] = #ARGV[i]
  if keep > 0 and age > 0 then
    redis.call('RPUSH', KEYS[2], ms .. ' ' .. ARGV[i])
  end
end
redis.call('LTRIM', KEYS[2], -math.max(keep, 1), -1)
if keep <= 0 or age <= 0 then
  redis.call('DEL', KEYS[2])
end
-- The oldest that are too old go: a few at each publish, and all of them from a page that is read.
local oldest = redis.call('LINDEX', KEYS[2], 0)
while oldest and tonumber(string.match(oldest, '^%d+')) < tonumber(ms) - age do
  redis.call('LPOP', KEYS[2])
  oldest = redis.call('LINDEX', KEYS[2], 0)
end
redis.call('HSET', KEYS[1], 'age', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
local parts = { epoch .. ' ' .. ARGV[2] .. ' ' .. string.format('%.0f', first) .. ' ' .. table.concat(lengths, ',') .. '\n' }
for i = 7, #ARGV do
  parts[#parts + 1] = ARGV[i]
end
redis.call('PUBLISH', ARGV[1], table.concat(parts))
return { epoch, string.format('%.0f', first) }
