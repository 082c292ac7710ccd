"""A socket that wants everything of one conversation, also what other tabs start."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from conversations.models import Run
from conversations.signals.activity import Arrivals
from conversations.transports.ws.followed import FollowedRuns
from engine.errors import ClawError, Unavailable
from wire.encoder import Encoding

log = logging.getLogger(__name__)


class Subscription:
    """A task that follows each run of the conversation as it comes."""

    def __init__(
        self,
        arrivals: Arrivals,
        followed: FollowedRuns,
        encoding: Encoding,
        tell: Callable[[ClawError], Awaitable[None]],
    ) -> None:
        self.arrivals = arrivals
        self._followed, self._encoding, self._tell = followed, encoding, tell
        self._own: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the active run."""
        self._task = asyncio.create_task(self._follow_all())

    def skip(self, run: Run) -> None:
        """The socket has started this run itself and follows it already."""
        self._own.add(run.pk)

    async def stop(self) -> None:
        """End it; runs that are being followed go on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow_all(self) -> None:
        active = self.arrivals.active
        async with self.arrivals as arrivals:
            while True:
                await arrivals.wait()
                async with self._followed.turn:
                    try:
                        for run in await arrivals.look():
                            snapshot = active is not None and run.pk == active.pk
                            try:
                                await self._follow(run, snapshot=snapshot)
                            except Unavailable:
                                arrivals.again(run)
                                raise
                    except Unavailable:
                        log.warning("cannot look for new runs", exc_info=True)
                    except ClawError as error:  # the conversation has been deleted
                        await self._tell(error)
                        return

    async def _follow(self, run: Run, *, snapshot: bool) -> None:
        if run.pk in self._own:
            self._own.discard(run.pk)
        elif run.pk not in self._followed:
            encoder = self._encoding.encoder(run.pk)
            after = await self._followed.snapshot(run, encoder) if snapshot else 0
            await self._followed.follow(run, after, encoder)
