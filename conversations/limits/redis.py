"""Limits that all processes share, counted in Redis: exact, since each question is one script.

Slots are counted for each process (`{process: count}`), and a process counts only as long as its
lease lives: the slots of a dead process are free when its lease has run out."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from conversations.limits.base import Window
from core.tasks.background import Background
from engine.errors import Unavailable
from engine.ids import new_id

log = logging.getLogger(__name__)

LEASE_SECONDS = 3.0
BEAT_SECONDS = 1.0
TIMEOUT = 2.0  # seconds: a door cannot wait longer for its answer
DOUBT_SECONDS = 2 * TIMEOUT  # after which a command without an answer has reached Redis, or never
CONNECTIONS = 20

# KEYS: slots. ARGV: this process, the limit, prefix of leases.
ACQUIRE = """
local held = redis.call('HGETALL', KEYS[1])
local total = 0
for i = 1, #held, 2 do
  if held[i] == ARGV[1] or redis.call('EXISTS', ARGV[3] .. held[i]) == 1 then
    total = total + tonumber(held[i + 1])
  else
    redis.call('HDEL', KEYS[1], held[i])
  end
end
if total >= tonumber(ARGV[2]) then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
return 1
"""

# KEYS: events of each window. ARGV: a name for this event, then limit and length in ms of each.
ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
  local limit, length = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - length)
  if redis.call('ZCARD', key) >= limit then
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    wait = math.max(wait, 1, oldest[2] + length - now)
  end
end
if wait == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, now, ARGV[1])
    redis.call('PEXPIRE', key, ARGV[2 * i + 1])
  end
end
return wait
"""


class Slots:
    """The slots that this process holds under one name, and the count that Redis was last known to
    have for it: None where an answer is missing. Where the two differ, Redis is told again.

    A command without an answer may still reach Redis, after a later one: until `doubted` (loop
    time) the count is sent again."""

    __slots__ = ("doubted", "held", "lock", "told", "users")

    def __init__(self) -> None:
        self.held = self.users = 0
        self.told: int | None = 0
        self.doubted = 0.0
        self.lock = asyncio.Lock()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Surrounds a command to Redis: without an answer its count is unknown."""
        self.told = None
        try:
            yield
        except BaseException:
            self.doubt()
            raise

    def doubt(self) -> None:
        """Marks the count in Redis as doubtful for a moment."""
        self.doubted = asyncio.get_running_loop().time() + DOUBT_SECONDS

    @property
    def settled(self) -> bool:
        """Whether Redis counts what is held."""
        return self.told == self.held and asyncio.get_running_loop().time() >= self.doubted


class RedisLimits:
    """See `conversations.limits.base.Limits`. Raises `Unavailable` without Redis."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=TIMEOUT, socket_timeout=TIMEOUT
        )
        self._redis = Redis(connection_pool=pool)
        self._process = new_id("proc")
        self._slots: dict[str, Slots] = {}
        self._freed = asyncio.Event()
        self._acquire = self._redis.register_script(ACQUIRE)
        self._admit = self._redis.register_script(ADMIT)
        self._background = Background()

    async def start(self) -> None:
        """Take the lease, and keep it."""
        await self._beat()
        self._background.start(self._keep_beating(), self._keep_telling())

    async def stop(self) -> None:
        """Give up the lease and with it all slots."""
        while not await self._background.stop(BEAT_SECONDS):
            pass  # redis-py takes a cancel for its own timeout if they come together
        try:
            await self._redis.delete(_lease(self._process))
        except RedisError:
            log.warning("the lease runs out by itself", exc_info=True)
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False

    async def acquire(self, name: str, limit: int) -> bool:
        """See `Limits.acquire`."""
        slots = self._slots.setdefault(name, Slots())
        slots.users += 1
        try:
            async with slots.lock:
                await self._tell(name, slots)
                before = slots.told or 0
                args: list[object] = [self._process, limit, _lease("")]
                with slots.asking():
                    taken = await self._ask(self._acquire, [_key(name)], args)
                slots.told = before + taken
                slots.held += taken
        finally:
            slots.users -= 1
        return bool(taken)

    async def release(self, name: str) -> None:
        """See `Limits.release`. It waits for nothing: the task that gives back may be cancelled
        meanwhile, or Redis may be away."""
        self._slots[name].held -= 1
        self._freed.set()

    async def admit(self, *windows: Window) -> int:
        """See `Limits.admit`."""
        args: list[object] = [new_id("e")]
        for window in windows:
            args += [window.limit, int(window.seconds * 1000)]
        names = [f"claw:window:{window.name}" for window in windows]
        return int(await self._ask(self._admit, names, args))

    async def _ask(self, script: object, keys: list[str], args: list[object]) -> int:
        try:
            answer: int | None = await script(keys=keys, args=args)  # type: ignore[operator]
        except (RedisError, OSError) as error:
            raise Unavailable("The limits cannot be checked, try again soon.") from error
        return answer or 0

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat()
            except (RedisError, OSError):
                log.warning("the lease was not renewed", exc_info=True)

    async def _beat(self) -> None:
        """Renew the lease. Where it had lapsed, or Redis has lost its data, all is told again."""
        lease = int(LEASE_SECONDS * 1000)
        before = await self._redis.set(_lease(self._process), 1, px=lease, get=True)
        if before is None:
            for slots in self._slots.values():
                slots.doubt()
        self._freed.set()  # also for what could not be told before

    async def _keep_telling(self) -> None:
        """Tells Redis about freed slots as soon as it can be reached."""
        while True:
            await self._freed.wait()
            self._freed.clear()
            for name, slots in list(self._slots.items()):
                try:
                    async with slots.lock:
                        await self._tell(name, slots)
                except Unavailable:
                    log.warning("slots of %s are given back later", name)
                    break
                if slots.settled and not (slots.held or slots.users):
                    del self._slots[name]

    async def _tell(self, name: str, slots: Slots) -> None:
        """Let Redis count what is held. Under the lock: an acquire of the same moment would be
        written over."""
        if slots.settled:
            return
        held = slots.held
        try:
            with slots.asking():
                if held:
                    await self._redis.hset(_key(name), self._process, held)
                else:
                    await self._redis.hdel(_key(name), self._process)
        except (RedisError, OSError) as error:
            raise Unavailable("The limits cannot be checked, try again soon.") from error
        slots.told = held


def _lease(process: str) -> str:
    return f"claw:process:{process}"


def _key(name: str) -> str:
    return f"claw:slots:{name}"
