"""Wakes those who wait for something new in a conversation, in whichever process it begins.

It travels by the channel layer, which may lose it: a wake-up is only a hint. So this process asks
the database too, every `POLL_SECONDS` and once for all who wait here: nobody asks alone. Nothing of
what is said travels here."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeAlias

from conversations import access
from conversations.models import FINAL, Conversation, Run
from conversations.signals.channel import Signals
from core.chunks import chunks
from core.database import database_step
from core.tasks.background import Background
from core.tasks.batching import Batcher, at_most
from engine.errors import ClawError, Unavailable

POLL_SECONDS = 5.0
LOOKS = 20  # in one database step

Position: TypeAlias = tuple[Conversation, int]
"""A position in a conversation: the key of a user's message."""


class Activity:
    """The waiters of this process, and what each waits for."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._waiting: dict[str, set[Arrivals]] = {}
        self._background = Background()
        self._looks: Batcher[Position, list[Run]] = Batcher(
            self._look, at_most(LOOKS), lambda at: at[0].organization_id
        )
        self._asked: dict[tuple[str, int], asyncio.Task[list[Run]]] = {}  # and not begun
        signals.handle("activity", self._wake)

    def start(self) -> None:
        """Begin to ask the database."""
        self._background.start(self._keep_polling())

    async def stop(self) -> None:
        """The end of `start`."""
        await self._background.stop()

    async def announce(self, conversation_id: str) -> None:
        """Something has begun in this conversation."""
        group = _group(conversation_id)
        await self._signals.send(group, "activity", conversation=conversation_id)

    async def watch(self, arrivals: "Arrivals") -> None:
        """Wake `arrivals` at every activity in its conversation, until `unwatch`."""
        name = arrivals.conversation.pk
        first = name not in self._waiting
        self._waiting.setdefault(name, set()).add(arrivals)
        if first:
            await self._signals.join(_group(name))

    async def unwatch(self, arrivals: "Arrivals") -> None:
        """The end of `watch`."""
        name = arrivals.conversation.pk
        waiting = self._waiting.get(name, set())
        waiting.discard(arrivals)
        if not waiting and self._waiting.pop(name, None) is not None:
            await self._signals.leave(_group(name))

    async def poll(self) -> None:
        """Wake those who have missed something: there is more than they have seen, or their
        conversation is gone. Raises `Unavailable`."""
        for names in chunks(list(self._waiting)):
            newest = await database_step(access.newest_questions, names)
            for name in names:
                latest = newest.get(name)
                for arrivals in self._waiting.get(name, ()):
                    if latest is None or latest > arrivals.position:
                        arrivals.wake()

    async def look(self, conversation: Conversation, position: int) -> list[Run]:
        """`access.runs_after`, asked once for all who stand at the same place; read only what it
        returns."""
        place = conversation.pk, position
        asked = self._asked.get(place)
        if asked is None:
            asked = asyncio.create_task(self._looks.do((conversation, position)))
            asked.add_done_callback(_heard)
            self._asked[place] = asked
        return await asyncio.shield(asked)

    async def _look(self, places: list[Position]) -> list[list[Run] | Exception]:
        for conversation, position in places:  # later listeners may be too late for this
            self._asked.pop((conversation.pk, position), None)
        return await database_step(_runs_after, places)

    async def _keep_polling(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            with contextlib.suppress(Unavailable):  # said by the database step
                await self.poll()

    def _wake(self, message: dict[str, Any]) -> None:
        for arrivals in self._waiting.get(message["conversation"], ()):
            arrivals.wake()


def _runs_after(places: list[Position]) -> list[list[Run] | Exception]:
    found: list[list[Run] | Exception] = []
    for conversation, position in places:
        try:
            found.append(access.runs_after(conversation, position))
        except ClawError as gone:
            found.append(gone)
    return found


def _heard(asked: asyncio.Task[list[Run]]) -> None:
    """Everybody who asked may have left: then its error is nobody's."""
    if not asked.cancelled():
        asked.exception()


class Arrivals:
    """The runs of one conversation as they come: `async with Arrivals(...) as arrivals`.

    `position` is the key of the last user message that is not new; `active` the run that was
    going on when this was made; `begun` says whether a run has a log, for its row comes first."""

    def __init__(
        self,
        activity: Activity,
        conversation: Conversation,
        position: int,
        active: Run | None = None,
        *,
        begun: Callable[[Run], Awaitable[bool]],
    ) -> None:
        self.conversation, self.position, self.active = conversation, position, active
        self._activity, self._begun = activity, begun
        self._wake = asyncio.Event()
        self._wake.set()  # the first look is at once

    async def __aenter__(self) -> Self:
        await self._activity.watch(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._activity.unwatch(self)

    def wake(self) -> None:
        """Let `next` return."""
        self._wake.set()

    async def next(self, patience: float) -> list[Run]:
        """The runs since the last call, oldest first; waits at most `patience` seconds for some."""
        try:
            async with asyncio.timeout(patience):
                await self.wait()
        except TimeoutError:
            return []
        return await self.look()

    async def wait(self) -> None:
        """Until there may be something new."""
        await self._wake.wait()

    async def look(self) -> list[Run]:
        """The runs since the last look, oldest first. Raises `Unavailable`, and
        `conversation_not_found` once the conversation has been deleted."""
        self._wake.clear()
        runs = []
        for run in await self._activity.look(self.conversation, self.position):
            if run.status not in FINAL and not await self._begun(run):
                break  # it is announced when its log begins
            runs.append(run)
            self.position = run.user_message_id
        return runs

    def again(self, run: Run) -> None:
        """Let the next look find this run, and those after it, once more."""
        self.position = run.user_message_id - 1


def _group(conversation_id: str) -> str:
    return f"conversation.{conversation_id}"
