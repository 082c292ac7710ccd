"""The scripts of a feed in Redis: each is atomic, and all that it needs to know is in its keys.

`claw:feed:<organisation>` is the stream, `...:head` a hash of its epoch, its last id, the last id
that is forgotten (`floor`) and its bytes: without it nothing is kept, and it expires when nobody
reads. `...:open` a hash of open subjects with their latest
progress, `...:closed` the subjects that were closed lately, by time."""

CLOSED_MS = 10 * 60 * 1000
"""For so long a closed subject stays known; nobody says anything of it later than that."""
LOOK = 20
"""Entries that are looked at to find old ones: each call adds fewer, or repeats the look."""

# KEYS: stream, head, open, closed, the number of the writer's last call. ARGV: the retention in ms,
# the most events, the most bytes, this call's number; then of each event its type, agent, subject,
# phase and data.
APPEND = f"""
local stream, head, open, closed, calls = unpack(KEYS)
local retention, most, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('EXISTS', head) == 0 then return 0 end
if tonumber(redis.call('GET', calls) or 0) >= tonumber(ARGV[4]) then return 0 end
redis.call('SET', calls, ARGV[4], 'PX', retention)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', stream) == 0 then -- it has expired, if there was one
  redis.call('HSET', head, 'floor', redis.call('HGET', head, 'last') or '0-0', 'bytes', 0)
end
local bytes = tonumber(redis.call('HGET', head, 'bytes') or 0)
for i = 5, #ARGV, 5 do
  local kind, agent, subject, phase, data = unpack(ARGV, i, i + 4)
  local fits = redis.call('HEXISTS', open, subject) == 1
  if phase == '0' then fits = not fits and not redis.call('ZSCORE', closed, subject) end
  if fits then
    if phase == '0' then
      redis.call('HSET', open, subject, '')
    elseif phase == '2' then
      redis.call('HDEL', open, subject)
      redis.call('ZADD', closed, now, subject)
    end
    local id = redis.call('XADD', stream, '*',
      'type', kind, 'agent', agent, 'subject', subject, 'phase', phase, 'data', data)
    redis.call('HSET', head, 'last', id)
    bytes = bytes + #data
  end
end
redis.call('ZREMRANGEBYSCORE', closed, '-inf', now - {CLOSED_MS})
local count = redis.call('XLEN', stream)
local gone
repeat
  gone = 0
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', {LOOK})) do
    local age = now - tonumber(string.match(entry[1], '^%d+'))
    if age <= retention and count - gone <= most and bytes <= most_bytes then break end
    redis.call('HSET', head, 'floor', entry[1])
    bytes, gone = bytes - #entry[2][10], gone + 1
  end
  count = count - gone
  if gone > 0 then redis.call('XTRIM', stream, 'MAXLEN', count) end
until gone < {LOOK}
redis.call('HSET', head, 'bytes', bytes)
for _, key in ipairs({{stream, open, closed}}) do redis.call('PEXPIRE', key, retention) end
return 1
"""

# KEYS: stream, head. ARGV: an epoch, an id, how many, the ms for which events are kept unread.
# Nothing if the cursor is lost.
READ = """
local function beyond(one, other)
  local a, b = string.match(one, '^(%d+)-(%d+)$')
  local c, d = string.match(other, '^(%d+)-(%d+)$')
  a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  return a > c or (a == c and b > d)
end
local epoch, last, floor = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'last', 'floor'))
if epoch ~= ARGV[1] then return false end
last = last or '0-0'
if beyond(ARGV[2], last) or beyond(floor or '0-0', ARGV[2]) then return false end
if beyond(last, ARGV[2]) and redis.call('EXISTS', KEYS[1]) == 0 then return false end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', ARGV[3])
"""

# KEYS: head, stream, open, closed. ARGV: an epoch, the ms for which events are kept unread. Returns
# the epoch, the last id, whether they are kept only from now on, and the last id that is forgotten.
NEWEST = """
local new = redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1])
if new == 1 then redis.call('DEL', KEYS[2], KEYS[3], KEYS[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local epoch, last, floor = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'last', 'floor'))
return {epoch, last, new, floor}
"""

# KEYS: head. ARGV: another epoch.
LOSE = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'epoch', ARGV[1]) end
"""

# KEYS: open. ARGV: subjects, each with its progress.
NOTE = """
for i = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
"""
