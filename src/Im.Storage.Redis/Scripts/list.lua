-- KEYS: sessions, last seen.  ARGV: HSCAN's cursor, about how many.  Returns the next cursor, then for each user: id, sessions, last seen.
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local results = { page[1] }
for i = 1, #page[2], 2 do
  local user = page[2][i]
  results[#results + 1] = user
  results[#results + 1] = page[2][i + 1]
  results[#results + 1] = redis.call('ZSCORE', KEYS[2], user) or '0'
end
return results
