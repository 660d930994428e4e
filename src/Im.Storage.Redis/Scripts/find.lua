-- KEYS: sessions, last seen.  ARGV: users of one bucket.  Returns for each its sessions or '', and when it was last seen or '0'.
local sessions = redis.call('HMGET', KEYS[1], unpack(ARGV))
local results = {}
for n, user in ipairs(ARGV) do
  results[2 * n - 1] = sessions[n] or ''
  results[2 * n] = redis.call('ZSCORE', KEYS[2], user) or '0'
end
return results
