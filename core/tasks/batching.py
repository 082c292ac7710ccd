"""Work of many callers in one step: fewer statements, transactions and thread hops."""

import asyncio
import contextvars
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from engine.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


GATHER_SECONDS, MAX_GATHER_SECONDS = 0.005, 0.05  # the rest after a step


class Batcher(Generic[Item, Result]):
    """Natural batching: what comes while one step runs goes into the next one. Between two steps
    there is a rest as long as the first of them took, since a crowd comes in a longer time where
    everything takes longer. A full step does not wait for it. A lone item runs at once.

    `step` gets the items in order, and returns a result or an exception for each. If it raises,
    the group is split in halves, down to the item that fails: its neighbours succeed. `count` says
    how many of those that wait go into the next step, at least one. Owners take turns: the first
    item of each comes before the second of any, so a flood of one owner delays only that owner."""

    def __init__(
        self,
        step: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]],
        count: Callable[[list[Item]], int],
        owner: Callable[[Item], str] = lambda item: "",
    ) -> None:
        self._step, self._count, self._owner = step, count, owner
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._working: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """The item's result; raises its exception, or what the step raised.

        Cancelling the caller does not take the item back."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._working is None:
            # A context of its own: it serves many callers and outlives each of them.
            self._working = asyncio.create_task(self._work(), context=contextvars.Context())
        return await future

    async def aclose(self) -> None:
        """Wait until everything that was given is done."""
        if self._working is not None:
            await self._working

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._take_turns()
                count = self._count([item for item, _ in self._waiting])
                group, self._waiting = self._waiting[:count], self._waiting[count:]
                begun = time.monotonic()
                await self._do_group(group)
                if not self._full():
                    took = time.monotonic() - begun
                    await asyncio.sleep(min(max(took, GATHER_SECONDS), MAX_GATHER_SECONDS))
        finally:
            self._working = None

    def _full(self) -> bool:
        """Whether some of those that wait must wait for yet another step."""
        return self._count([item for item, _ in self._waiting]) < len(self._waiting)

    def _take_turns(self) -> None:
        """Put those that wait in the order of their turns; of one owner, in the order they came."""
        if len(self._waiting) < 2:
            return
        turns: Counter[str] = Counter()
        places = []
        for item, _ in self._waiting:
            owner = self._owner(item)
            places.append(turns[owner])
            turns[owner] += 1
        if len(turns) > 1:
            order = sorted(range(len(places)), key=places.__getitem__)
            self._waiting = [self._waiting[place] for place in order]

    async def _do_group(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        results: Sequence[Result | Exception]
        try:
            results = await self._step([item for item, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            if len(group) > 1 and not isinstance(error, Unavailable):
                middle = len(group) // 2
                await self._do_group(group[:middle])
                await self._do_group(group[middle:])
                return
            results = [error] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def at_most(most: int) -> Callable[[list[Item]], int]:
    """A `count`: all that wait, up to so many."""
    return lambda items: min(most, len(items))
