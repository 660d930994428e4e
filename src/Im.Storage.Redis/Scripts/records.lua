-- A user's sessions, and a node's lease, are text: records end with \30, fields are separated by \31. Ids contain neither.
-- Numbers stay text: Lua would write a large one as 1.7e+15. They are below 2^53, so comparing them as numbers is exact.
local DEVICE, NODE, EPOCH, CONNECTION, INSTANCE, ATTEMPT, TICKET = 1, 2, 3, 4, 5, 6, 9

local function fieldsOf(record)
  local fields = {}
  for field in string.gmatch(record .. '\31', '([^\31]*)\31') do
    fields[#fields + 1] = field
  end
  return fields
end

local function recordsOf(packed)
  local records = {}
  if packed then
    for record in string.gmatch(packed, '[^\30]+') do
      records[#records + 1] = fieldsOf(record)
    end
  end
  return records
end

local function pack(records)
  local texts = {}
  for n, fields in ipairs(records) do
    texts[n] = table.concat(fields, '\31')
  end
  return table.concat(texts, '\30')
end

local function text(number)
  return string.format('%.0f', number)
end

-- Redis' own clock, in microseconds and milliseconds.
local function micros()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000000 + tonumber(now[2])
end

local function millis()
  return math.floor(micros() / 1000)
end

-- A node's lease: instance, version, epoch, joined, until.
local LEASE_INSTANCE, LEASE_VERSION, LEASE_EPOCH, LEASE_JOINED, LEASE_UNTIL = 1, 2, 3, 4, 5
