"""The feed that all processes share, in Redis: a stream for each organisation."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from conversations.feed.base import MAX_BYTES, MAX_EVENTS, UNREAD, CursorLost, Event, Kept, Phase
from conversations.feed.stores import scripts
from conversations.models import feed_epoch
from engine.errors import Unavailable
from engine.ids import new_id

TIMEOUT = 2.0  # seconds for one answer
CONNECTIONS = 8

_CURSOR = re.compile(r"([0-9A-Za-z]{1,20})\.([0-9]{1,15}-[0-9]{1,15})", re.ASCII)


class RedisStore:
    """See `conversations.feed.base.Store`."""

    def __init__(self, url: str, retention: float) -> None:
        """`retention` in seconds."""
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=TIMEOUT, socket_timeout=TIMEOUT
        )
        self._redis = Redis(connection_pool=pool)
        self._writer = new_id("feed")
        self._retention_ms = int(retention * 1000)
        self._append = self._redis.register_script(scripts.APPEND)
        self._read = self._redis.register_script(scripts.READ)
        self._newest = self._redis.register_script(scripts.NEWEST)
        self._lose = self._redis.register_script(scripts.LOSE)
        self._note = self._redis.register_script(scripts.NOTE)

    async def begin(self, organization_id: str) -> bool:
        """See `Store.begin`."""
        _, _, new, _ = await self._head(organization_id)
        return bool(new)

    async def append(self, number: int, events: Mapping[str, Sequence[Event]]) -> None:
        """See `Store.append`."""
        for organization_id, some in events.items():
            keys = _keys(organization_id, "", ":head", ":open", ":closed", f":{self._writer}")
            args: list[str | int | bytes] = [self._retention_ms, MAX_EVENTS, MAX_BYTES, number]
            for event in some:
                args += event.type, event.agent_id, event.subject, int(event.phase), event.data
            with _answering():
                await self._append(keys, args)

    async def read(self, organization_id: str, after: str, limit: int) -> list[Kept]:
        """See `Store.read`."""
        cursor = _CURSOR.fullmatch(after)
        if cursor is None:
            raise CursorLost
        with _answering():
            args = [*cursor.groups(), limit, self._unread_ms]
            found = await self._read(_keys(organization_id, "", ":head"), args)
        if found is None:
            raise CursorLost
        return [Kept(f"{cursor[1]}.{id_.decode()}", _event(fields)) for id_, fields in found]

    async def newest(self, organization_id: str) -> str:
        """See `Store.newest`."""
        epoch, last, _, _ = await self._head(organization_id)
        return _cursor(epoch, last)

    async def oldest(self, organization_id: str) -> str:
        """See `Store.oldest`."""
        epoch, _, _, floor = await self._head(organization_id)
        return _cursor(epoch, floor)

    async def lose(self, organization_id: str) -> None:
        """See `Store.lose`."""
        with _answering():
            await self._lose(_keys(organization_id, ":head"), [feed_epoch()])

    async def note(self, organization_id: str, progress: Mapping[str, bytes]) -> None:
        """See `Store.note`."""
        args = [part for pair in progress.items() for part in pair]
        with _answering():
            await self._note(_keys(organization_id, ":open"), args)

    async def noted(self, organization_id: str) -> dict[str, bytes]:
        """See `Store.noted`."""
        with _answering():
            found: Any = await self._redis.hgetall(_key(organization_id, ":open"))
        return {subject.decode(): data for subject, data in found.items() if data}

    async def unclosed(self) -> list[str]:
        """See `Store.unclosed`."""
        found: list[str] = []
        with _answering():
            async for name in self._redis.scan_iter(_key("*", ":open"), count=1000):
                subjects: Any = await self._redis.hkeys(name)
                found += [subject.decode() for subject in subjects]
        return found

    async def trim(self) -> None:
        """See `Store.trim`: each append forgets old events, and a feed that rests expires."""

    async def _head(self, organization_id: str) -> tuple[bytes, bytes | None, int, bytes | None]:
        """Epoch, last id, whether the events are kept only from now on, and the last id that is
        forgotten."""
        keys = _keys(organization_id, ":head", "", ":open", ":closed")
        with _answering():
            found: tuple[bytes, bytes | None, int, bytes | None] = await self._newest(
                keys, [feed_epoch(), self._unread_ms]
            )
        return found

    @property
    def _unread_ms(self) -> int:
        return self._retention_ms + int(UNREAD * 1000)

    async def aclose(self) -> None:
        """See `Store.aclose`."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()


@contextmanager
def _answering() -> Iterator[None]:
    """Raises `Unavailable` where Redis does not answer."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("The feed does not answer, try again soon.") from error


def _keys(organization_id: str, *endings: str) -> list[str]:
    return [_key(organization_id, ending) for ending in endings]


def _key(organization_id: str, ending: str) -> str:
    return f"claw:feed:{organization_id}{ending}"


def _event(fields: list[bytes]) -> Event:
    """The event in an entry, whose names and values alternate."""
    type_, agent, subject, phase, data = fields[1::2]
    return Event(type_.decode(), agent.decode(), subject.decode(), Phase(int(phase)), data)


def _cursor(epoch: bytes, id_: bytes | None) -> str:
    return f"{epoch.decode()}.{(id_ or b'0-0').decode()}"
