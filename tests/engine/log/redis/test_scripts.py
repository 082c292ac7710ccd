"""What the scripts promise whoever calls them, twice or too late."""

from collections.abc import AsyncIterator

import pytest
from msgspec import msgpack
from redis.asyncio import Redis

from engine.log.redis.scripts import (
    APPEND,
    ERASE,
    ERROR,
    FENCED,
    FINISHED,
    GONE,
    LOST,
    OK,
    READ,
    UNKNOWN,
)
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis
KEY = b"claw:run:run_1"
DONE = b'{"type":"done","seq":0}'


class Caller:
    """One call of each script."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self._append, self._read, self._erase = map(client.register_script, (APPEND, READ, ERASE))

    async def append(
        self, attempt: int, first: int, *lines: bytes, take: bool = False, token: str = "me"
    ) -> list[int]:
        packed = msgpack.encode(
            [1000_000, 10_000, [[attempt, token, take, first, [line.decode() for line in lines]]]]
        )
        return list(await self._append(keys=[KEY], args=[packed]))

    async def read(self, after: int, size: int = 1000, count: int = 100) -> list[bytes | int]:
        return list(await self._read(keys=[KEY], args=[after, size, count]))

    async def erase(self) -> None:
        await self._erase(keys=[KEY], args=[10_000])


@pytest.fixture
async def call(redis_server: RedisServer) -> AsyncIterator[Caller]:
    redis_server.ask("FLUSHALL")
    async with Redis.from_url(redis_server.url, protocol=2) as client:
        yield Caller(client)


async def test_it_works(call: Caller) -> None:
    assert await call.append(0, 1, b"a", take=True) == [OK, 1]
    assert await call.append(1, 2, take=True) == [OK, 1]
    assert await call.append(1, 2, b"b", b"c") == [OK, 3]
    assert await call.read(0) == [1, 3, 0, b"a", b"b", b"c"]
    assert await call.read(2) == [1, 3, 0, b"c"]
    assert await call.read(-1) == [1, 3, 0, b"c"]
    assert await call.client.xrange(KEY) == [
        (b"0-1", {b"e": b"a"}),
        (b"1-1", {b"c": b"me"}),
        (b"1-2", {b"e": b"b"}),
        (b"1-3", {b"e": b"c"}),
    ]


async def test_sent_twice_is_stored_once(call: Caller) -> None:
    for _ in range(3):
        assert await call.append(1, 1, b"a", b"b", take=True) == [OK, 2]
    assert await call.append(1, 2, b"b", b"c") == [OK, 3]
    assert await call.append(1, 1, b"a") == [OK, 3]
    assert await call.read(0) == [1, 3, 0, b"a", b"b", b"c"]


async def test_a_later_attempt_fences_whatever_was_appended(call: Caller) -> None:
    await call.append(1, 1, b"a", take=True)
    assert await call.append(2, 2, take=True) == [OK, 1]
    assert await call.append(1, 2, b"stale") == [FENCED, 1]
    assert await call.append(1, 2, take=True) == [FENCED, 1]
    assert await call.append(0, 2, b"stale", take=True) == [FENCED, 1]
    assert await call.append(2, 2, b"b") == [OK, 2]
    assert await call.read(0) == [2, 2, 0, b"a", b"b"]


async def test_an_attempt_has_one_owner(call: Caller) -> None:
    assert await call.append(1, 1, take=True) == [OK, 0]
    assert await call.append(1, 1, take=True) == [OK, 0]
    assert await call.append(1, 1, take=True, token="you") == [FENCED, 0]


async def test_two_that_accept_a_run_do_not_mix(call: Caller) -> None:
    assert await call.append(0, 1, b"a", take=True) == [OK, 1]
    assert await call.append(0, 1, b"a", take=True, token="you") == [OK, 1]  # the very same event
    assert await call.append(0, 1, b"other", take=True, token="you") == [FENCED, 1]
    assert await call.append(0, 2, b"b") == [OK, 2]
    assert await call.append(0, 2, b"c") == [FENCED, 2]


async def test_who_does_not_know_the_end_takes_nothing(call: Caller) -> None:
    await call.append(1, 1, b"a", b"b", take=True)
    assert await call.append(2, 1, b"guess", take=True) == [FENCED, 2]
    assert await call.append(1, 3, b"c") == [OK, 3]


async def test_a_finished_run_is_not_taken(call: Caller) -> None:
    await call.append(1, 1, b"a", DONE, take=True)
    assert await call.append(2, 3, take=True) == [FINISHED, 2]
    assert await call.append(2, 3, b"more", take=True) == [FINISHED, 2]
    assert await call.append(1, 3) == [OK, 2]
    assert await call.read(2) == [1, 2, 1]
    assert 0 < await call.client.pttl(KEY) <= 10_000


async def test_an_unfinished_run_is_kept_for_long(call: Caller) -> None:
    await call.append(0, 1, b"a", take=True)
    assert await call.client.pttl(KEY) > 10_000
    await call.append(1, 2, take=True)
    assert await call.client.pttl(KEY) > 10_000


async def test_what_redis_lost_is_told_and_filled_in(call: Caller) -> None:
    await call.append(1, 1, b"a", b"b", b"c", take=True)
    await call.client.xdel(KEY, "1-3", "1-2")
    await call.client.execute_command("XSETID", KEY, "1-1")
    assert await call.append(1, 4, b"d") == [LOST, 1]
    assert await call.append(1, 4) == [LOST, 1]
    assert await call.append(1, 2, b"b", b"c", b"d") == [OK, 4]
    await call.client.delete(KEY)
    assert await call.append(1, 5, b"e") == [LOST, 0]
    assert await call.append(1, 1, b"a", b"b") == [OK, 2]  # with the claim, which was lost too
    assert await call.append(1, 1, take=True, token="you") == [FENCED, 2]


async def test_what_is_added_is_published_once(call: Caller) -> None:
    async with call.client.pubsub() as pubsub:
        await pubsub.subscribe(KEY)
        await call.append(0, 1, b"a", take=True)
        await call.append(1, 2, b"b", b"c", take=True)
        await call.append(1, 2, b"b", b"c", b"d")
        await call.append(1, 2, b"b", b"c", b"d")
        await call.erase()
        heard = []
        while b"" not in heard:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
            heard += [message["data"]] if message else []
    assert heard == [b"0-1\na", b"1-2\nb\nc", b"1-4\nd", b""]


async def test_a_read_is_bounded_but_gives_at_least_one(call: Caller) -> None:
    await call.append(1, 1, *[b"%03d" % n for n in range(300)], take=True)
    assert len(await call.read(0)) == 3 + 100
    assert len(await call.read(0, size=30)) == 3 + 10
    assert len(await call.read(0, size=1)) == 3 + 1
    assert await call.read(250, count=2) == [1, 300, 0, b"250", b"251"]


async def test_a_read_goes_through_all_attempts(call: Caller) -> None:
    last = 0
    for attempt in (0, 1, 4, 7, 9):
        await call.append(attempt, last + 1, take=True)
        for _ in range(attempt % 3):
            last += 1
            await call.append(attempt, last, b"%d" % last)
    for after in range(last + 1):
        expected = [b"%d" % n for n in range(after + 1, last + 1)]
        assert await call.read(after) == [9, last, 0, *expected]


async def test_a_read_ends_at_a_gap(call: Caller) -> None:
    await call.append(1, 1, b"a", b"b", b"c", b"d", take=True)
    await call.client.xdel(KEY, "1-3")
    assert await call.read(0) == [1, 4, 0, b"a", b"b"]
    assert await call.read(2) == [1, 4, 0]


async def test_an_erased_run_stays_erased(call: Caller) -> None:
    assert await call.read(0) == [UNKNOWN]
    await call.erase()
    assert await call.client.exists(KEY) == 0
    await call.append(1, 1, take=True)
    assert await call.read(0) == [1, 0, 0]  # claimed: it may be followed
    await call.erase()
    assert await call.read(0) == [GONE]
    assert await call.append(1, 1, b"a") == [FENCED, 0]
    assert await call.append(2, 1, b"a", take=True) == [FENCED, 0]
    assert 0 < await call.client.pttl(KEY) <= 10_000


async def test_one_broken_run_does_not_disturb_the_others(call: Caller) -> None:
    await call.client.set(KEY, "not a stream")
    other = b"claw:run:run_2"
    script = call.client.register_script(APPEND)
    packed = msgpack.encode([1000_000, 10_000, [[1, "me", True, 1, ["a"]]] * 2])
    replies = await script(keys=[KEY, other], args=[packed])
    assert replies[0] == ERROR and b"WRONGTYPE" in replies[1]
    assert replies[2:] == [OK, 1]
