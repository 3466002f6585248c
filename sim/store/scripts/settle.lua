-- Ends a reservation. KEYS: failures, held. ARGV: outcome, token. The answer is
-- 1 and the failures counted now, or 0 if the reservation has ended before.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[2], ARGV[2])
if not ends or tonumber(ends) <= now then
  return {0, 0}
end
local failures = tonumber(redis.call('GET', KEYS[1]) or '0')
-- The reservation is removed last: whatever stops the script half-way, the
-- attempt is then not free again.
if ARGV[1] == 'failed' then
  failures = redis.call('INCR', KEYS[1])
elseif ARGV[1] == 'passed' and failures > 0 then
  redis.call('DEL', KEYS[1])
  failures = 0
end
redis.call('ZREM', KEYS[2], ARGV[2])
return {1, failures}
