"""Clients that come back until they have seen all, landing on another process each time."""

import asyncio
import itertools
from collections.abc import Iterable
from uuid import uuid4

import psycopg

from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.watching import BROKEN, Refused, Watch

AGAIN = ("unavailable", "auth_required")  # the latter where authenticating takes too long
AGAIN_SECONDS = 0.05  # a client's pause after a connection that broke; a real one takes longer
LONG = "[[upstream tokens=200 delay=15]]"


class Asker:
    """One message and its answer, over WebSocket and SSE in turns."""

    def __init__(self, stack: Stack, content: str) -> None:
        self.watch = Watch(stack)  # type: ignore[arg-type]
        self.content = content
        self.key = uuid4().hex
        self.broken = 0  # connections
        self.reading = asyncio.create_task(self._insist())

    async def _insist(self) -> None:
        doors = itertools.cycle([self._socket, self._stream])
        if int(self.key, 16) % 2:
            next(doors)
        for door in doors:
            try:
                await door()
            except BROKEN:
                self.broken += 1
            except Refused as refused:
                if refused.code not in AGAIN:
                    raise
            if self.watch.done:
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _socket(self) -> None:
        await self.watch.ws({"content": self.content, "clientMessageId": self.key})

    async def _stream(self) -> None:
        await self.watch.sse({"message": self.content, "clientMessageId": self.key})


async def under_way(stack: Stack, count: int, content: str = LONG, tokens: int = 5) -> list[Asker]:
    """So many runs that have said something."""
    askers = [Asker(stack, content) for _ in range(count)]
    for asker in askers:
        await asker.watch.until(lambda watch=asker.watch: watch.tokens >= tokens)
    return askers


async def ended(askers: Iterable[Asker]) -> None:
    """Return when all have seen the end of their run."""
    await asyncio.gather(*(asker.reading for asker in askers))


def set_on_crash(stack: Stack, policy: str) -> None:
    """What becomes of the runs of all agents: before the first, for processes remember agents."""
    query(stack, "UPDATE agents_agent SET on_crash = %s", policy)


async def only(stack: Stack, worker: Server) -> None:
    """`worker` gets all runs from now on: the others are gone, and it has said that it works."""
    for other in stack.workers:
        if other is not worker:
            await asyncio.to_thread(other.kill)
    (asker,) = await under_way(stack, 1, "[[upstream tokens=5]]")
    await ended([asker])


def query(stack: Stack, statement: str, *values: object) -> list[tuple[object, ...]]:
    """What the stack's database answers."""
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        cursor = database.execute(statement, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []
