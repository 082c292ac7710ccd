"""The Lua scripts of the log; Redis runs each atomically.

A run is one stream. An event's id is ``<attempt>-<seq>`` with the field `e`; an attempt from 1 on
begins with a claim, ``<attempt>-<seq before it>`` with the field `c` and its owner's token. So the
newest id says who holds the run and where it ends, and Redis itself refuses the ids of an earlier
attempt. An erased run leaves the id `ERASED`, which no attempt reaches, until its retention ends.
New events are published on the channel that is named like the key, as the first id and the lines.
"""

from typing import Final

KEY = b"claw:run:"
"""Before the run's id: the key of its stream, and its channel."""

OK: Final = 0  # stored; the number beside it is the last seq
FENCED: Final = 1
FINISHED: Final = 2
LOST: Final = 3  # Redis has less than it had acknowledged: it ends with the number beside it
ERROR: Final = 4  # nothing more was stored; the message is beside it

UNKNOWN: Final = -1
GONE: Final = -2  # erased

_COMMON = f"""
local OK, FENCED, FINISHED, LOST, ERROR = {OK}, {FENCED}, {FINISHED}, {LOST}, {ERROR}
local UNKNOWN, GONE = {UNKNOWN}, {GONE}
"""
_COMMON += """
local ERASED = '281474976710656'
local DONE = '{"type":"done"'

local function split(id)
    local attempt, seq = string.match(id, '^(%d+)-(%d+)$')
    return tonumber(attempt), tonumber(seq)
end

local function is_done(entry)
    return entry[2][1] == 'e' and string.sub(entry[2][2], 1, #DONE) == DONE
end

local function newest(key)
    return redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
end
"""

APPEND: Final = (
    _COMMON
    + """
-- KEYS: runs. ARGV: in MessagePack, the milliseconds that a run is kept unfinished and finished,
-- and for each run attempt, token, whether it takes the run now, first seq, lines.
-- Returns a status and a number (see above) for each run. It may be sent twice.
local unfinished, finished, requests = unpack(cmsgpack.unpack(ARGV[1]))

local function owner(key, attempt)
    return redis.call('XRANGE', key, attempt, attempt, 'COUNT', 1)[1][2][2]
end

local function stored(key, attempt, seq)
    local id = attempt .. '-' .. seq
    local entry = redis.call('XRANGE', key, id, id)[1]
    return entry and entry[2][2]
end

local function append(key, attempt, token, taking, first, lines)
    local held, last, done, entry = -1, 0, false, newest(key)
    if entry then
        held, last = split(entry[1])
        done = is_done(entry)
    end
    if held > attempt then return FENCED, last end
    if taking and held == attempt and attempt > 0 and owner(key, attempt) ~= token then
        return FENCED, last
    end
    local skip = 0
    if #lines > 0 and first <= last then
        -- What is there already must be what this very writer sent before.
        if held ~= attempt or stored(key, attempt, first) ~= lines[1] then return FENCED, last end
        skip = last - first + 1
    elseif done and (taking or held < attempt) then
        return FINISHED, last
    elseif first > last + 1 then
        return LOST, last
    end
    if held < attempt and attempt > 0 then
        redis.call('XADD', key, attempt .. '-' .. last, 'c', token)
    end
    for n = skip + 1, #lines do
        last = first + n - 1
        redis.call('XADD', key, attempt .. '-' .. last, 'e', lines[n])
    end
    if held < attempt then redis.call('PEXPIRE', key, unfinished) end
    if skip < #lines then
        if is_done({false, {'e', lines[#lines]}}) then redis.call('PEXPIRE', key, finished) end
        local head = attempt .. '-' .. (first + skip)
        redis.call('PUBLISH', key, head .. '\\n' .. table.concat(lines, '\\n', skip + 1))
    end
    return OK, last
end

local replies = {}
for n, key in ipairs(KEYS) do
    local fine, status, last = pcall(append, key, unpack(requests[n]))
    if not fine then
        status, last = ERROR, type(status) == 'table' and status.err or tostring(status)
    end
    replies[2 * n - 1] = status
    replies[2 * n] = last
end
return replies
"""
)

READ: Final = (
    _COMMON
    + """
-- KEYS: a run. ARGV: the position (-1: before the last event), most bytes, most events.
-- Returns UNKNOWN or GONE; else attempt, last seq (0: it is claimed, and has no event yet), 1 if it
-- is finished, and the lines after the position, as many as fit but at least one. Lines end at a
-- gap.
local top = newest(KEYS[1])
if not top then return {UNKNOWN} end
local attempt, last = split(top[1])
if attempt == tonumber(ERASED) then return {GONE} end
if last == 0 then return {attempt, 0, 0} end

local seq, reply = tonumber(ARGV[1]), {attempt, last, is_done(top) and 1 or 0}
if seq < 0 then seq = last - 1 end
if seq >= last then return reply end

-- The attempt that wrote the event after the position: the newest one that began before it.
local first = redis.call('XRANGE', KEYS[1], attempt, attempt, 'COUNT', 1)[1]
while first[2][1] == 'c' and select(2, split(first[1])) > seq do
    local before = redis.call('XREVRANGE', KEYS[1], '(' .. first[1], '-', 'COUNT', 1)[1]
    if not before then break end
    attempt = split(before[1])
    first = redis.call('XRANGE', KEYS[1], attempt, attempt, 'COUNT', 1)[1]
end

local size, from = 0, '(' .. attempt .. '-' .. seq
local most_bytes, most_lines = tonumber(ARGV[2]), tonumber(ARGV[3]) + 3
local count = 8
repeat
    count = count * 2  -- few at first: they may be large
    local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', count)
    for _, entry in ipairs(page) do
        if entry[2][1] == 'e' then
            local line = entry[2][2]
            size = size + #line
            seq = seq + 1
            if #reply == most_lines or (size > most_bytes and #reply > 3)
                or select(2, split(entry[1])) ~= seq then return reply end
            reply[#reply + 1] = line
        end
        from = '(' .. entry[1]
    end
until #page < count
return reply
"""
)

ERASE: Final = (
    _COMMON
    + """
-- KEYS: a run. ARGV: milliseconds that its end is remembered.
if redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('DEL', KEYS[1])
    redis.call('XADD', KEYS[1], ERASED .. '-0', 'x', '')
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    redis.call('PUBLISH', KEYS[1], '')
end
"""
)
