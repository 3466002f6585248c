-- Carries out operations in order. KEYS are two for each, the second being
-- where a move goes to; ARGV are four: verb, value, time to live in ms (0: for
-- good), and what a swap expects. The answers are two for each: 1 or 0, and the
-- value that was there.

local function each(f)
  for i = 1, #KEYS / 2 do
    f(ARGV[4*i-3], KEYS[2*i-1], KEYS[2*i], ARGV[4*i-2], ARGV[4*i-1], ARGV[4*i])
  end
end

-- A move can make a value too large. A script is not rolled back, so the sizes
-- are gone through before anything is changed.
local moves = false
each(function(verb) moves = moves or verb == 'move' end)
if moves then
  local sizes, refused = {}, false
  local function size(key)
    if sizes[key] == nil then
      sizes[key] = redis.call('EXISTS', key) == 1 and redis.call('STRLEN', key)
    end
    return sizes[key]
  end
  each(function(verb, key, to, value)
    if verb == 'put' or verb == 'create' and not size(key) then
      sizes[key] = #value
    elseif verb == 'take' or verb == 'delete' then
      sizes[key] = false
    elseif verb == 'move' and size(key) then
      local moved = size(key) + #value
      sizes[key] = false
      sizes[to] = moved
      refused = refused or moved > 65536
    end
  end)
  if refused then
    return redis.error_reply('TOOLARGE a moved value')
  end
end

local function set(key, value, ttl)
  if ttl == '0' then
    redis.call('SET', key, value)
  else
    redis.call('SET', key, value, 'PX', ttl)
  end
end

local answers = {}
each(function(verb, key, to, value, ttl, expected)
  local was = verb ~= 'put' and redis.call('GET', key)
  local ok = was
  if verb == 'put' then
    set(key, value, ttl)
    ok = true
  elseif verb == 'create' then
    ok = not was
    if ok then
      set(key, value, ttl)
    end
  elseif was and (verb == 'take' or verb == 'delete') then
    redis.call('DEL', key)
  elseif was and verb == 'move' then
    redis.call('DEL', key)
    set(to, was .. value, ttl)
  elseif was and verb == 'swap' then
    ok = was == expected
    if ok then
      redis.call('SET', key, value, 'KEEPTTL')
    end
  end
  answers[#answers+1] = ok and 1 or 0
  answers[#answers+1] = was or ''
end)
return answers
