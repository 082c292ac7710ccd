"""The twin of load.c where there is no C compiler: the same clients, slower to read.

    python -m bench.load port=8000 kind=ws path=/ws ask='{"content":"{order}"}' streams=100

Arguments and what it prints are those of load.c; tests hold the two together.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from time import monotonic_ns
from typing import Any

from bench.load.client import Client
from bench.load.loop import run
from bench.load.options import Options
from bench.load.tally import ASKED, STREAMING, Tally

CONNECTING_AT_ONCE = 64
PULSE = 0.005  # seconds; a loop that is busy for longer lets what has arrived grow old


class Load:
    """All clients: `streams` for the whole time, and `probes` that ask while those stream."""

    def __init__(self, options: Options) -> None:
        self.options = options
        number = options.streams + options.probes
        self.tally = Tally(clients=number, answers=options.answers)
        self.streams = [self._client(options.order, n) for n in range(options.streams)]
        self.probes = [self._client(options.probe) for _ in range(options.probes)]

    def _client(self, order: str, number: int | None = None) -> Client:
        stalled = number is not None and number < self.options.stalled
        return Client(self.options, self.tally, order, stalled=stalled)

    async def run(self) -> None:
        """Connect, ask, measure, read to the end; every step is printed."""
        begun, patience = monotonic_ns(), self.options.patience
        await each(Client.connect, self.streams + self.probes, CONNECTING_AT_ONCE, patience)
        say("connected", seconds=round((monotonic_ns() - begun) / 1e9, 3))
        if self.options.repeat:
            self.tally.repeating = True
            for client in self.streams:
                client.ask()
        elif not self.options.idle:
            await each(Client.start, self.streams, self.options.starting, patience)
        await self._pass(self.options.settle)
        await self._measure()
        print(json.dumps(self.tally.result()), flush=True)

    async def _measure(self) -> None:
        self._mark("begin")
        self.tally.windowed = True
        async with asyncio.TaskGroup() as group:
            planned = [group.create_task(event) for event in self._planned()]
            await self._pass(self.options.window)
            self.tally.windowed = self.tally.repeating = False
            self._mark("end")
            await self._drain()
            for task in planned:
                task.cancel()

    def _planned(self) -> Iterator[Coroutine[Any, Any, None]]:
        """The events in the window beside the streams: probes ask, and clients are cut."""
        window, rate = self.options.window, self.options.resumes
        yield self._pulse()
        for number, probe in enumerate(self.probes):
            yield after(window * number / len(self.probes), probe.start)
        for number, client in enumerate(self.streams[: int(rate * window)]):
            yield after(number / rate, client.resume)

    async def _pass(self, seconds: float) -> None:
        """So long, or until there are answers enough."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.tally.enough.wait(), seconds)

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.options.drain):
                for client in self.streams + self.probes:
                    if not client.stalled:
                        await client.leave(ASKED, STREAMING)

    async def _pulse(self) -> None:
        """Measures the longest time that arrived bytes wait for being read in the window."""
        while self.tally.windowed:
            begun = monotonic_ns()
            await asyncio.sleep(PULSE)
            late = monotonic_ns() - begun - int(PULSE * 1e9)
            self.tally.longest_gap = max(self.tally.longest_gap, late)

    def _mark(self, mark: str) -> None:
        say(mark, at=monotonic_ns(), streaming=self.tally.counts[STREAMING])


async def each(
    action: Callable[[Client], Awaitable[None]],
    clients: Sequence[Client],
    at_once: int,
    seconds: float,
) -> None:
    """Do it with all of them, so many at once, and give up after so long."""
    turns = asyncio.Semaphore(at_once)

    async def one(client: Client) -> None:
        async with turns:
            await action(client)

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(one(client))


async def after(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Do it so much later."""
    await asyncio.sleep(seconds)
    await action()


def say(mark: str, **values: float) -> None:
    """One line for who measures."""
    print(json.dumps({"mark": mark} | values), flush=True)


def parsed(words: Sequence[str]) -> Options:
    """The options that arguments name. Raises SystemExit for a wrong one."""
    types = {field.name: field.type for field in fields(Options)}
    found: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name] = types[name](value)  # type: ignore[operator]
        except (KeyError, ValueError):
            sys.exit(f"load: {name}?")
    return Options(**found)


if __name__ == "__main__":
    run(Load(parsed(sys.argv[1:])).run())
