"""Carries what all writers of this process have appended to Redis, a round trip at a time."""

import asyncio
import logging
from collections import deque
from contextvars import Context
from math import inf

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.log.base import StorageFailed
from engine.log.redis import scripts
from engine.log.redis.client import ANSWER_TIME, pause
from engine.log.redis.writer import RedisWriter

log = logging.getLogger(__name__)
pack = msgspec.msgpack.Encoder().encode

PACE = 0.005  # seconds between rounds under load; after a pause an event is sent at once
QUIET = 0.1  # seconds of silence after which a run's next event (a first token) skips the pace
EARLY = 3  # turns of a run that skip it as well: it is taken, says that it types, has a token
CHECK = 1.0  # seconds between looks whether Redis still holds what it confirmed, and for us
LINGER = 5.0  # seconds that an ended writer is still checked: Redis may lose its last two
ROUND_BYTES = 1024 * 1024  # in one round: Redis serves nobody else meanwhile (about 10 ms)
UNFINISHED_TTL = 7 * 24 * 3600  # seconds until Redis forgets a run that nobody ever ended


class Sender:
    """One task, and every writer that may still have something to store.

    A round is one script for all runs that have new lines. It may be sent twice (see `APPEND`), so
    after an error everything that was not confirmed goes again, with a look at all the others."""

    def __init__(self, client: "Redis", retention: float) -> None:
        self._append = client.register_script(scripts.APPEND)
        self._lifetimes = UNFINISHED_TTL * 1000, int(retention * 1000)
        self.buffered = 0
        self.held: dict[str, RedisWriter] = {}  # by run
        self._marked: deque[RedisWriter] = deque()  # in the order of their turns
        self._urgent = False
        self._signal = asyncio.Event()
        self._sent_at = self._check_at = 0.0  # loop time
        self._task: asyncio.Task[None] | None = None

    def hold(self, writer: RedisWriter) -> None:
        """Take the run for `writer`, and store what it appends."""
        if self._task is None:
            # A context of its own: the caller's may belong to a request.
            self._task = asyncio.create_task(self._send(), context=Context())
        self.held[writer.run.run_id] = writer
        self.mark(writer)

    def mark(self, writer: RedisWriter) -> None:
        """See `Carrier.mark`."""
        now = asyncio.get_running_loop().time()
        if now - writer.marked_at > QUIET or writer.turns < EARLY:
            self._urgent = True
        writer.marked_at = now
        if self._urgent or not self._marked:
            self._signal.set()
        if not writer.marked:
            writer.marked = True
            self._marked.append(writer)

    def drop(self, writer: RedisWriter) -> None:
        """See `Carrier.drop`."""
        if self.held.get(writer.run.run_id) is writer:
            del self.held[writer.run.run_id]

    async def aclose(self) -> None:
        """Stop all writers; entries that Redis has not confirmed are lost, and no reader has seen
        them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for writer in list(self.held.values()):
            writer.stop(StorageFailed)

    async def _send(self) -> None:
        failures = 0
        while True:
            await self._round_due()
            try:
                async with asyncio.timeout(ANSWER_TIME):
                    await self._round()
            except (RedisError, TimeoutError) as error:
                failures += 1
                if failures == 1:
                    log.warning("Redis cannot store events: %s", error)
            except Exception:  # a defect that one run meets must not keep the others from Redis
                failures += 1
                log.exception("events are not stored")
            else:
                if failures:
                    log.warning("Redis stores events again, after %d attempts", failures)
                failures = 0
                continue
            self._check()
            await asyncio.sleep(pause(failures))

    async def _round_due(self) -> None:
        """Return when there is something to send: after a pause at once, else in steps of PACE."""
        time = asyncio.get_running_loop().time
        while True:
            if time() >= self._check_at:
                self._check()
            if self._marked:
                break
            await self._signalled(self._check_at - time() if self.held else None)
        rest = self._sent_at + PACE - time()
        if rest > 0 and not self._urgent:
            await self._signalled(rest)
        self._urgent, self._sent_at = False, time()

    async def _signalled(self, seconds: float | None) -> None:
        """Wait until there is something to send, or it became urgent; at most `seconds`."""
        self._signal.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._signal.wait()
        except TimeoutError:
            pass

    def _check(self) -> None:
        """Have every run looked at in the next round: Redis may have lost some of it, or another
        process may have taken it."""
        now = asyncio.get_running_loop().time()
        self._check_at = now + CHECK
        for writer in self.held.values():
            if not writer.marked:
                writer.marked = True
                self._marked.append(writer)

    async def _round(self) -> None:
        sent: list[tuple[RedisWriter, list[bytes]]] = []
        size = 0
        while self._marked and size < ROUND_BYTES:
            writer = self._marked.popleft()
            writer.marked = False
            if not writer.dead:
                lines = writer.turn()
                size += sum(map(len, lines))
                sent.append((writer, lines))
        if not sent:
            return
        keys = [writer.key for writer, _ in sent]
        requests = [writer.request(lines) for writer, lines in sent]
        replies = await self._append(keys=keys, args=[pack((*self._lifetimes, requests))])
        for (writer, lines), status, last in zip(sent, replies[::2], replies[1::2], strict=True):
            self._settle(writer, len(lines), status, last)

    def _settle(self, writer: RedisWriter, count: int, status: int, last: int) -> None:
        if status == scripts.ERROR:
            log.warning("Redis cannot store run %s: %r", writer.run.run_id, last)
        writer.settle(count, status, last)
        if status == scripts.OK and writer.complete:
            self._let_go(writer)

    def _let_go(self, writer: RedisWriter) -> None:
        """A writer that has ended is still looked at for a while, and with success."""
        now = asyncio.get_running_loop().time()
        if writer.expires == inf:
            writer.expires = now + LINGER
        elif now >= writer.expires:
            self.drop(writer)
            writer.run.starve()
