import { peer_limits } from '../domain/peers/outcome.ts';

/**
 * What must happen in Redis at once. No decisions here: those are made in the domain, from records that the change then
 * expects to find unchanged. Keys below the prefix: the hashes `peers` and `channels` (name to JSON), the sorted set
 * `leases`, the hashes `peers_of` and `channels_of` (network to how many of its), and for each peer the stream `mail:NAME` and the hash `box:NAME` (last, had, bytes). Needs Redis 5.
 */

/** ARGV[1] is the change as JSON. Answers 1, or 0 when a record is not what was expected. */
export const changeScript = `
local prefix, change = KEYS[1], cjson.decode(ARGV[1])
local peers, leases = prefix .. 'peers', prefix .. 'leases'
for _, expected in ipairs(change.expect) do
  if redis.call('HGET', prefix .. expected[1], expected[2]) ~= expected[3] then return 0 end
end
if change.held and redis.call('ZSCORE', leases, change.held[1]) ~= change.held[2] then return 0 end

local function held(kind) return tonumber(redis.call('HGET', prefix .. kind .. '_of', change.of[1]) or 0) end
if change.of and (held('peers') ~= change.of[2] or held('channels') ~= change.of[3]) then return 0 end

local function count(kind, record, by)
  local network = record and cjson.decode(record).network
  if network and redis.call('HINCRBY', prefix .. kind .. '_of', network, by) <= 0 then
    redis.call('HDEL', prefix .. kind .. '_of', network)
  end
end
local function wake(name) redis.call('PUBLISH', prefix .. 'wake', name) end
local function deliver(name, text)
  if redis.call('HEXISTS', peers, name) == 0 then return end
  local box, mail = prefix .. 'box:' .. name, prefix .. 'mail:' .. name
  redis.call('XADD', mail, '0-' .. redis.call('HINCRBY', box, 'last', 1), 'event', text)
  local bytes, length = redis.call('HINCRBY', box, 'bytes', #text), redis.call('XLEN', mail)
  while length > 1 and (length > ${peer_limits.mail} or bytes > ${peer_limits.mail_bytes}) do
    local oldest = redis.call('XRANGE', mail, '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', mail, oldest[1])
    bytes, length = redis.call('HINCRBY', box, 'bytes', -#oldest[2][2]), length - 1
  end
end

for _, put in ipairs(change.put) do
  if redis.call('HSET', prefix .. put[1], put[2], put[3]) == 1 then count(put[1], put[3], 1) end
  if put[1] == 'peers' then wake(put[2]) end
end
if change.gone_channel then
  count('channels', redis.call('HGET', prefix .. 'channels', change.gone_channel), -1)
  redis.call('HDEL', prefix .. 'channels', change.gone_channel)
end
if change.gone_peer then
  local name = change.gone_peer
  count('peers', redis.call('HGET', peers, name), -1)
  redis.call('HDEL', peers, name)
  redis.call('ZREM', leases, name)
  redis.call('DEL', prefix .. 'mail:' .. name, prefix .. 'box:' .. name)
  wake(name)
end
if change.lease then redis.call('ZADD', leases, change.lease[2], change.lease[1]) end
for _, mail in ipairs(change.mail) do
  for _, name in ipairs(mail.to or redis.call('HKEYS', peers)) do
    if name ~= mail.but then deliver(name, mail.text) end
  end
  if mail.to then for _, name in ipairs(mail.to) do wake(name) end else wake('') end
end
return 1
`;

/** ARGV: peer, session, what it had (or ''). Answers what it had and the mail after it; nothing to a stale session. */
export const inboxScript = `
local prefix, name, session, after = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = redis.call('HGET', prefix .. 'peers', name)
if not record or cjson.decode(record).session ~= session then return false end
local box = prefix .. 'box:' .. name
local last = tonumber(redis.call('HGET', box, 'last') or 0)
local had = math.min(after or tonumber(redis.call('HGET', box, 'had') or 0), last)
redis.call('HSET', box, 'had', had)
return { had, redis.call('XRANGE', prefix .. 'mail:' .. name, '0-' .. (had + 1), '+') }
`;
