/** What must happen in Redis at once. `now` is the time of Redis in ms, so that clocks of processes do not matter. */
const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
`;

/**
 * KEYS: the hash of a group, by member "until said". ARGV: member, for how many ms, what is said. The hash goes with the last
 * of them.
 */
export const presentScript = `${now}
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

/** KEYS: the hash of a group. Answers member, what is said, member, ...; removes who is gone. */
export const membersScript = `${now}
local all, there = redis.call('HGETALL', KEYS[1]), {}
for at = 1, #all, 2 do
  local till, said = string.match(all[at + 1], '^(%d+) (.*)$')
  if till and tonumber(till) > now then
    there[#there + 1] = all[at]
    there[#there + 1] = said
  else
    redis.call('HDEL', KEYS[1], all[at])
  end
end
return there`;

/** KEYS: a share. ARGV: the count and the window in ms. Takes one as taker.ts does; 0, or in how many ms there is one. */
export const takeScript = `${now}
local count, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local free_at = tonumber(redis.call('GET', KEYS[1]) or now)
local taken = math.max(now, free_at) + window / count
local wait = taken - now - window
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', taken), 'PX', math.ceil(taken - now))
return 0`;
