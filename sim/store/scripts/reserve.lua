-- Reserves an attempt. KEYS: failures, held. ARGV: maximum, lease in ms, token.
-- The answer is what was done (0 wait, 1 reserved, 2 blocked), the failures, and
-- if it is to wait the ms until the first lease ends.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local failures = tonumber(redis.call('GET', KEYS[1]) or '0')
local most = tonumber(ARGV[1])
if failures >= most then
  return {2, failures, 0}
end
local live = redis.call('ZCOUNT', KEYS[2], '(' .. string.format('%.0f', now), '+inf')
if failures + live >= most then
  local first = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return {0, failures, tonumber(first[2]) - now}
end
-- What adds comes first, so that a server without memory refuses it.
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', last[2] + 1000))
return {1, failures, 0}
