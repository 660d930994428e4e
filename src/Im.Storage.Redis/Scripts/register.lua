-- Registers sessions of one bucket, in order.
-- KEYS: sessions, ticket.  ARGV: until when by Redis' clock in microseconds (0 = always), then for each session its user and its record.
-- Returns the time, then for each: its ticket (0 = not registered), the other session or '', how many others the user has, 1 if it stood there already. The time
-- alone: too late.
local now = micros()
if ARGV[1] ~= '0' and now > tonumber(ARGV[1]) then
  -- Redis stood still. The caller has long gone on, and nobody would remove what is registered now.
  return { text(now) }
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local given = last
local results = { text(now) }
for i = 2, #ARGV, 2 do
  local user, new = ARGV[i], fieldsOf(ARGV[i + 1])
  local records = recordsOf(redis.call('HGET', KEYS[1], user))
  local place = nil
  for n, record in ipairs(records) do
    if record[DEVICE] == new[DEVICE] then
      place = n
    end
  end
  local old = place and records[place]
  local same = old and old[NODE] == new[NODE] and old[CONNECTION] == new[CONNECTION]
  local stays = false
  if same then
    -- Sent before the node's newer epoch, and late.
    stays = tonumber(old[EPOCH]) > tonumber(new[EPOCH])
  elseif old and old[INSTANCE] ~= '' and old[INSTANCE] == new[INSTANCE] and tonumber(old[ATTEMPT]) ~= tonumber(new[ATTEMPT]) then
    stays = tonumber(old[ATTEMPT]) > tonumber(new[ATTEMPT])
  elseif old and new[TICKET] ~= '0' then
    stays = tonumber(old[TICKET]) > tonumber(new[TICKET])
  end
  local others = #records - (old and 1 or 0)
  if stays then
    results[#results + 1] = { '0', table.concat(old, '\31'), others, 0 }
  else
    if new[TICKET] == '0' then
      last = math.max(last + 1, now)
      new[TICKET] = text(last)
    else
      last = math.max(last, tonumber(new[TICKET]))
    end
    records[place or #records + 1] = new
    redis.call('HSET', KEYS[1], user, pack(records))
    results[#results + 1] = { new[TICKET], (old and not same) and table.concat(old, '\31') or '', others, same and 1 or 0 }
  end
end
if last ~= given then
  redis.call('SET', KEYS[2], text(last))
end
return results
