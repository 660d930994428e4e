-- KEYS: sessions.  ARGV: node, epoch.  Returns 1 where the bucket has a session of the node up to the epoch.
local epoch = tonumber(ARGV[2])
local cursor = '0'
repeat
  local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', 500)
  cursor = page[1]
  for i = 2, #page[2], 2 do
    -- Most users have nothing there: that is found without taking the records apart.
    if string.find(page[2][i], '\31' .. ARGV[1] .. '\31', 1, true) then
      for _, record in ipairs(recordsOf(page[2][i])) do
        if record[NODE] == ARGV[1] and tonumber(record[EPOCH]) <= epoch then
          return 1
        end
      end
    end
  end
until cursor == '0'
return 0
