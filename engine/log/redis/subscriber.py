"""One connection that hears of new events in the runs which this process follows."""

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from engine.log.base import UnknownRun
from engine.log.redis.client import pause
from engine.log.redis.run import RedisRun
from engine.log.redis.scripts import KEY

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between pings, and until a run that nobody follows is unsubscribed
SILENCE = 5.0  # seconds without a word after which the connection counts as dead


class Subscriber:
    """Keeps a subscription for each followed run, over any number of connections.

    A run whose subscription began or was lost is told, so that its followers look into Redis: what
    was published in between was not heard."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool  # only makes the connection
        self._connection: AbstractConnection | None = None
        self._heard_at = 0.0  # loop time
        self.runs: dict[bytes, RedisRun] = {}  # by channel
        self._left: set[bytes] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def watch(self, run: RedisRun) -> None:
        """Return when `run` is told what is stored from now on. Waits as long as Redis is away."""
        if not self._tasks:
            # A context of its own: the caller's may belong to a request.
            self._tasks = [
                asyncio.create_task(work, context=Context())
                for work in (self._listen(), self._tick())
            ]
        channel = KEY + run.run_id.encode()
        self._left.discard(channel)
        if self.runs.get(channel) is not run:
            self.runs[channel] = run
            await self._tell("SUBSCRIBE", channel)
        while not run.subscribed:
            await run.news()

    def leave(self, run: RedisRun) -> None:
        """Unsubscribes from `run`, which has no follower any more. One that comes at once finds it
        subscribed."""
        channel = KEY + run.run_id.encode()
        if channel in self.runs:
            self._left.add(channel)

    async def aclose(self) -> None:
        """Hear nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    await self._connect()
                failures = 0
                await self._hear_all()
            except (RedisError, OSError, TimeoutError) as error:
                failures += 1
                if failures == 1:
                    log.warning("Redis tells no events: %s", error)
            except Exception:  # a defect that one run meets must not make the others deaf
                failures += 1
                log.exception("events are not heard")
            finally:
                await self._disconnect()
            await asyncio.sleep(pause(failures))

    async def _connect(self) -> None:
        connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()
        self._connection = connection
        self._heard_at = asyncio.get_running_loop().time()
        if self.runs:
            await self._tell("SUBSCRIBE", *self.runs)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
        for run in self.runs.values():
            run.subscribe(False)

    async def _hear_all(self) -> None:
        connection, time = self._connection, asyncio.get_running_loop().time
        assert connection is not None
        while True:
            message = await connection.read_response()
            self._heard_at = time()
            if isinstance(message, list) and len(message) == 3:  # a pong is shorter
                self._hear(*message)

    def _hear(self, kind: bytes, channel: bytes, data: Any) -> None:
        run = self.runs.get(channel)
        if run is None:
            return
        if kind == b"subscribe":
            run.subscribe(True)
        elif kind == b"message" and not data:
            run.fail(UnknownRun)
        elif kind == b"message":
            head, _, body = data.partition(b"\n")
            attempt, _, first = head.partition(b"-")
            run.take(int(attempt), int(first), body.split(b"\n"))

    async def _tick(self) -> None:
        time = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(TICK)
            if self._connection is None:
                continue
            if time() - self._heard_at > SILENCE:
                await self._connection.disconnect(nowait=True)  # `_listen` hears that, and goes on
                continue
            if gone := [channel for channel in self._left if not self.runs[channel].followers]:
                for channel in gone:
                    self.runs.pop(channel).subscribe(False)
                await self._tell("UNSUBSCRIBE", *gone)
            self._left.clear()
            await self._tell("PING")

    async def _tell(self, *command: str | bytes) -> None:
        if self._connection is not None:
            with suppress(RedisError):  # `_listen` hears that the connection is lost, too
                await self._connection.send_command(*command, check_health=False)
