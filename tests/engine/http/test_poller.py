"""With real sockets, on both loops; what a turn of the loop is, is counted and not timed."""

import asyncio
import gc
import os
import select
import socket
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from engine.http import poller
from engine.http.poller import EARLY, SHARE, watch
from tests.engine.conftest import LOOPS

__all__ = ["LOOPS"]
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[Callable[[int], list[Pair]]]:
    """Connected sockets; what the second one of each pair sends is there."""
    made: list[Pair] = []

    def make(count: int) -> list[Pair]:
        fresh = [socket.socketpair() for _ in range(count)]
        for ours, theirs in fresh:
            ours.setblocking(False)
            theirs.send(b"x")
        made.extend(fresh)
        return fresh

    yield make
    for pair in made:
        for sock in pair:
            sock.close()


async def until(met: Callable[[], bool]) -> None:
    for _ in range(1000):
        if met():
            return
        await asyncio.sleep(0)
    raise TimeoutError


@pytest.mark.parametrize("has_epoll", [True, False])
async def test_it_works(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch, has_epoll: bool
) -> None:
    if not has_epoll:
        monkeypatch.delattr(select, "epoll")
    ((ours, theirs),) = pairs(1)
    seen: list[bytes] = []
    one = watch(ours.fileno(), lambda: seen.append(ours.recv(1)))
    theirs.send(b"y")
    await until(lambda: seen == [b"x", b"y"])
    one.forget()
    theirs.send(b"z")
    for _ in range(3):
        await asyncio.sleep(0)
    assert seen == [b"x", b"y"]


@pytest.mark.parametrize("has_epoll", [True, False])
async def test_one_that_is_paused_is_not_called_until_then(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch, has_epoll: bool
) -> None:
    if not has_epoll:
        monkeypatch.delattr(select, "epoll")
    seen: list[bytes] = []
    resumed = asyncio.Event()

    def serve(sock: socket.socket) -> None:
        seen.append(sock.recv(1))
        if len(seen) > 1:
            resumed.set()

    ((ours, theirs),) = pairs(1)
    one = watch(ours.fileno(), partial(serve, ours))
    await until(lambda: len(seen) == 1)
    for seconds in (1e6, 0.01):
        one.pause(seconds)
        theirs.send(b"y")
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(seen) == 1
        if seconds > 1:
            one.forget()
            one = watch(ours.fileno(), partial(serve, ours))
            one.pause(seconds)
            one.forget()
            ours.recv(1)
            one = watch(ours.fileno(), partial(serve, ours))
    await asyncio.wait_for(resumed.wait(), 5)
    one.forget()


@pytest.mark.parametrize("early", [0, 1, EARLY])
async def test_one_that_hurries_is_paused_no_more(
    pairs: Callable[[int], list[Pair]], early: int
) -> None:
    seen: list[bytes] = []
    ((ours, theirs),) = pairs(1)
    one = watch(ours.fileno(), lambda: seen.append(ours.recv(1)))
    await until(lambda: len(seen) == 1)
    if early:
        one.hurry()
        for _ in range(early):
            theirs.send(b"y")
            await until(lambda: len(seen) > 1)
            seen.pop()
    one.pause(1e6)
    one.hurry()
    theirs.send(b"z")
    await until(lambda: seen[-1] == b"z")
    one.pause(1e6)
    one.forget()


async def test_a_turn_of_the_loop_serves_a_share(pairs: Callable[[int], list[Pair]]) -> None:
    loop, served, between = asyncio.get_running_loop(), 0, [0]

    def serve(sock: socket.socket) -> None:
        nonlocal served
        sock.recv(1)
        served += 1
        loop.call_soon(lambda: between.append(served))

    watched = [watch(ours.fileno(), partial(serve, ours)) for ours, _ in pairs(3 * SHARE + 1)]
    await until(lambda: served == len(watched))
    await asyncio.sleep(0)
    assert sorted(set(between)) == [0, SHARE, 2 * SHARE, 3 * SHARE, 3 * SHARE + 1]
    for one in watched:
        one.forget()


async def test_whoever_stays_ready_waits_for_all_others(
    pairs: Callable[[int], list[Pair]],
) -> None:
    calls: Counter[int] = Counter()
    spread: set[int] = set()

    def serve(fd: int) -> None:
        calls[fd] += 1
        spread.add(max(calls.values()) - min(calls[ours.fileno()] for ours, _ in made))

    made = pairs(3 * SHARE)
    watched = [watch(ours.fileno(), partial(serve, ours.fileno())) for ours, _ in made]
    await until(lambda: calls.total() > 20 * SHARE)
    assert spread <= {0, 1}
    for one in watched:
        one.forget()


async def test_a_socket_that_is_forgotten_in_a_share_is_not_served(
    pairs: Callable[[int], list[Pair]],
) -> None:
    (one, _), (two, _) = pairs(2)
    seen: list[int] = []

    def serve(mine: socket.socket, other: int) -> None:
        mine.recv(1)
        seen.append(mine.fileno())
        watched.pop(other).forget()

    watched = {
        mine.fileno(): watch(mine.fileno(), partial(serve, mine, other.fileno()))
        for mine, other in [(one, two), (two, one)]
    }
    await until(lambda: bool(seen))
    await asyncio.sleep(0)
    assert len(seen) == 1 and list(watched) == seen
    watched[seen[0]].forget()


async def test_a_number_that_is_used_again_is_another_socket(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first was ready and not yet served when it was closed."""
    monkeypatch.setattr(poller, "SHARE", 1)
    seen: list[tuple[str, int, bytes]] = []

    def serve(name: str, fd: int) -> None:
        seen.append((name, fd, os.read(fd, 1)))

    left = {ours.fileno(): ours for ours, _ in pairs(2)}
    watched = {fd: watch(fd, partial(serve, "old", fd)) for fd in left}
    await until(lambda: bool(seen))
    del left[seen[0][1]]
    number, closed = left.popitem()
    watched[number].forget()
    fresh, theirs = socket.socketpair()
    fresh.setblocking(False)
    os.dup2(fresh.fileno(), closed.detach())
    watched[number] = watch(number, partial(serve, "new", number))
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(seen) == 1
    theirs.send(b"y")
    await until(lambda: len(seen) == 2)
    assert seen[1] == ("new", number, b"y")
    for one in watched.values():
        one.forget()
    for end in (fresh, theirs, socket.socket(fileno=number)):
        end.close()


async def test_a_callback_that_fails_is_reported_and_stops_no_other(
    pairs: Callable[[int], list[Pair]],
) -> None:
    reported: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
    served: list[int] = []

    def serve(sock: socket.socket) -> None:
        sock.recv(1)
        served.append(sock.fileno())
        if len(served) == 1:
            raise LookupError("full")

    watched = [watch(ours.fileno(), partial(serve, ours)) for ours, _ in pairs(3)]
    await until(lambda: len(served) == 3)
    assert [str(error) for error in reported] == ["full"]
    for one in watched:
        one.forget()


async def test_it_is_open_while_it_watches_something(pairs: Callable[[int], list[Pair]]) -> None:
    loop = asyncio.get_running_loop()
    (ours, _), (others, _) = pairs(2)
    for _ in range(2):
        watched = [watch(sock.fileno(), lambda: None) for sock in (ours, others)]
        held = poller._pollers[loop]()
        assert held is not None
        for one in watched:
            assert not held._crowd.closed
            one.forget()
        assert held._crowd.closed and loop not in poller._pollers


@pytest.mark.parametrize("new_loop", LOOPS.values(), ids=LOOPS)
def test_a_loop_that_is_given_up_keeps_nothing(
    pairs: Callable[[int], list[Pair]], new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    class Owner:
        def serve(self) -> None: ...

    async def leave() -> "weakref.ref[Owner]":
        owner = Owner()
        watch(pairs(1)[0][0].fileno(), owner.serve)
        return weakref.ref(owner)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        left = runner.run(leave())
    del runner
    gc.collect()
    assert left() is None


def endless(sock: socket.socket, seen: list[float]) -> None:
    """A visit that leaves something for the next one."""
    assert sock.recv(1, socket.MSG_PEEK)
    seen.append(asyncio.get_running_loop().time())


async def test_a_crowd_is_visited_once_in_a_round(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "FEW", 1)
    monkeypatch.setattr(poller, "MANY", 3)
    seen: list[list[float]] = [[] for _ in range(4)]
    enough = asyncio.Event()

    def visit(sock: socket.socket, times: list[float]) -> None:
        endless(sock, times)
        if min(map(len, seen)) == 4:
            enough.set()

    watched = [
        watch(ours.fileno(), partial(visit, ours, times))
        for (ours, _), times in zip(pairs(4), seen, strict=True)
    ]
    await asyncio.wait_for(enough.wait(), 30)
    for one in watched:
        one.forget()
    for times in seen:
        gaps = [after - before for before, after in pairwise(times)]
        assert min(gaps[1:]) > poller.ROUND / 2  # the loop's clock counts milliseconds


async def test_a_few_are_visited_whenever_they_have_something(
    pairs: Callable[[int], list[Pair]],
) -> None:
    ((ours, _),) = pairs(1)
    seen: list[float] = []
    one = watch(ours.fileno(), partial(endless, ours, seen))
    await until(lambda: len(seen) >= 10)
    one.forget()


@pytest.fixture
def endless_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are a crowd, and after a round of theirs no other comes."""
    monkeypatch.setattr(poller, "FEW", 0)
    monkeypatch.setattr(poller, "MANY", 1)
    monkeypatch.setattr(poller, "ROUND", 3600.0)


async def test_a_crowd_may_leave_while_it_rests(
    pairs: Callable[[int], list[Pair]], endless_rest: None
) -> None:
    seen: list[float] = []
    watched = [watch(ours.fileno(), partial(endless, ours, seen)) for ours, _ in pairs(2)]
    await until(lambda: len(seen) == 2)
    for one in watched:
        one.forget()
    assert asyncio.get_running_loop() not in poller._pollers


async def test_an_answer_that_begins_waits_for_no_round(
    pairs: Callable[[int], list[Pair]], endless_rest: None
) -> None:
    seen: list[list[float]] = [[], []]
    first, other = (
        watch(ours.fileno(), partial(endless, ours, times))
        for (ours, _), times in zip(pairs(2), seen, strict=True)
    )
    await until(lambda: [len(times) for times in seen] == [1, 1])  # the crowd rests
    for begun in (1, 2):
        first.hurry()
        await until(lambda begun=begun: len(seen[0]) == 1 + begun * EARLY)
        for _ in range(5):
            await asyncio.sleep(0)
        assert [len(times) for times in seen] == [1 + begun * EARLY, 1]
    first.forget()
    other.hurry()
    other.forget()
    assert asyncio.get_running_loop() not in poller._pollers
