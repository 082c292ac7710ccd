"""Wakes those who wait for something new in a conversation, in whichever process it begins.

It travels by the channel layer, which may lose it: a wake-up is only a hint, and whoever waits
looks for himself every `POLL_SECONDS` too. Nothing of what is said travels here."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from accounts.database import database_step
from conversations import access
from conversations.models import FINAL, Conversation, Run
from conversations.signals import Signals

POLL_SECONDS = 5.0


class Activity:
    """Who waits for what, in this process."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._waiting: dict[str, set[asyncio.Event]] = {}
        signals.handle("activity", self._wake)

    async def announce(self, conversation_id: str) -> None:
        """Something has begun in this conversation."""
        group = _group(conversation_id)
        await self._signals.send(group, "activity", conversation=conversation_id)

    async def watch(self, conversation_id: str, wake: asyncio.Event) -> None:
        """Set `wake` at every activity, until `unwatch`."""
        first = conversation_id not in self._waiting
        self._waiting.setdefault(conversation_id, set()).add(wake)
        if first:
            await self._signals.join(_group(conversation_id))

    async def unwatch(self, conversation_id: str, wake: asyncio.Event) -> None:
        """The end of `watch`."""
        waiting = self._waiting.get(conversation_id, set())
        waiting.discard(wake)
        if not waiting and self._waiting.pop(conversation_id, None) is not None:
            await self._signals.leave(_group(conversation_id))

    def _wake(self, message: dict[str, Any]) -> None:
        for wake in self._waiting.get(message["conversation"], ()):
            wake.set()


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
        await self._activity.watch(self.conversation.pk, self._wake)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._activity.unwatch(self.conversation.pk, self._wake)

    def wake(self) -> None:
        """Let `next` return."""
        self._wake.set()

    async def next(self, patience: float = POLL_SECONDS) -> list[Run]:
        """The runs since the last call, oldest first; waits at most `patience` seconds for some."""
        await self.wait(patience)
        return await self.look()

    async def wait(self, patience: float = POLL_SECONDS) -> None:
        """Until there may be something new, at most `patience` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(patience, POLL_SECONDS)):
                await self._wake.wait()

    async def look(self) -> list[Run]:
        """The runs since the last look, oldest first. Raises `Unavailable`, and
        `conversation_not_found` once the conversation has been deleted."""
        self._wake.clear()
        runs = []
        for run in await database_step(access.runs_after, self.conversation, self.position):
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
