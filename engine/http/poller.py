"""The sockets of model servers, served by a poller of their own inside the event loop.

A loop reads every socket that is ready before it does anything else. With a thousand streams that
is a turn of 100 ms, and whatever takes several turns, as each new question does, waits for as many
of them. Here a turn of the loop serves `SHARE` sockets, and all else comes between two shares.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary, ref

SHARE = 64
"""Sockets in a turn of the loop. Of 900 streams on a full core, shares of 16 and 32 make questions
faster still, but let some tokens wait for 300 ms meanwhile; 128 is no better for either."""

FEW, MANY = 200, 600  # visits
ROUND = 0.06  # seconds
"""A visit costs far more than each token that it brings. So a crowd is visited less often: after a
round of more than FEW visits the next one waits, after MANY until ROUND is over, in which a model
says about three tokens."""


EARLY = 4
"""Visits of an answer that wait for no round and no share: head, beginning, a ping, the first
token."""


class Watched(Protocol):
    """A socket that is watched."""

    def hurry(self) -> None:
        """An answer is about to come: its first `EARLY` visits come before those of a crowd."""

    def pause(self, seconds: float) -> None:
        """Call back no more until then: others go first. Not while it is paused."""

    def forget(self) -> None:
        """Watch it no more; before it is closed."""


def watch(fd: int, callback: Callable[[], object]) -> Watched:
    """Call back when there is something to read. Raises `OSError`.

    `callback` need not read all that there is: it is called again for the rest."""
    loop = asyncio.get_running_loop()
    if not hasattr(select, "epoll"):  # a laptop: no share there, all that is ready is served
        return Reader(loop, fd, callback)
    held = _pollers.get(loop)
    poller = held() if held else None
    if poller is None:
        poller = Poller(loop)
        _pollers[loop] = ref(poller)
    return poller.watch(fd, callback)


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, "ref[Poller]"] = WeakKeyDictionary()
"""Each is held by its loop: one that is given up with sockets in it is no reason to keep those."""


class Reader:
    """`Watched` by the loop itself."""

    __slots__ = ("_callback", "_fd", "_loop", "_pause")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, fd: int, callback: Callable[[], object]
    ) -> None:
        self._loop, self._fd, self._callback = loop, fd, callback
        self._pause: asyncio.TimerHandle | None = None
        loop.add_reader(fd, callback)

    def hurry(self) -> None:
        """Does nothing: no caller waits."""

    def pause(self, seconds: float) -> None:
        """See `Watched`."""
        self._loop.remove_reader(self._fd)
        self._pause = self._loop.call_later(seconds, self._go_on)

    def forget(self) -> None:
        """See `Watched`."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._fd)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._fd, self._callback)


class Polled:
    """`Watched` by a poller."""

    __slots__ = ("_pause", "_poller", "callback", "early", "fd")

    def __init__(self, poller: "Poller", fd: int, callback: Callable[[], object]) -> None:
        self._poller, self.fd, self.callback = poller, fd, callback
        self.early = 0  # visits that are left before it is one of the crowd
        self._pause: asyncio.TimerHandle | None = None

    def hurry(self) -> None:
        """See `Watched`. It ends a pause."""
        self._end_pause()
        self._poller.hurry(self)

    def pause(self, seconds: float) -> None:
        """See `Watched`."""
        self._poller.leave_out(self)
        self._pause = self._poller.loop.call_later(seconds, self._end_pause)

    def forget(self) -> None:
        """See `Watched`. The last one closes the poller."""
        self._end_pause()
        self._poller.forget(self)

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
            self._poller.take_in(self)


class Poller:
    """Watches sockets for one loop, with two descriptors of its own that the loop watches: for the
    crowd, and for those whose answers begin.

    The kernel keeps what a share leaves over, in turn (epoll_wait(2): "round robin"). So there is
    no list here that could name a socket that is closed by now, or another with its number."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._crowd, self._first = select.epoll(), select.epoll()
        self._poll, self._poll_first = self._crowd.poll, self._first.poll
        self._watched: dict[int, Polled] = {}
        self._began, self._visits = loop.time(), 0  # of this round
        self._rest: asyncio.TimerHandle | None = None
        loop.add_reader(self._first.fileno(), self._serve_first)
        loop.add_reader(self._crowd.fileno(), self._turn)

    def watch(self, fd: int, callback: Callable[[], object]) -> Polled:
        """See the function."""
        watched = self._watched[fd] = Polled(self, fd, callback)
        try:
            self._crowd.register(fd, select.EPOLLIN)
        except OSError:
            self._drop(fd)
            raise
        return watched

    def hurry(self, watched: Polled) -> None:
        """See `Watched`."""
        if not watched.early:
            self._crowd.unregister(watched.fd)
            self._first.register(watched.fd, select.EPOLLIN)
        watched.early = EARLY

    def leave_out(self, watched: Polled) -> None:
        """Look at it no more until `take_in`."""
        (self._first if watched.early else self._crowd).unregister(watched.fd)

    def take_in(self, watched: Polled) -> None:
        """Look at it again."""
        (self._first if watched.early else self._crowd).register(watched.fd, select.EPOLLIN)

    def forget(self, watched: Polled) -> None:
        """See `Watched`."""
        self.leave_out(watched)
        self._drop(watched.fd)

    def _drop(self, fd: int) -> None:
        del self._watched[fd]
        if not self._watched:
            del _pollers[self.loop]
            if self._rest is not None:
                self._rest.cancel()
            for epoll in (self._first, self._crowd):
                self.loop.remove_reader(epoll.fileno())
                epoll.close()

    def _serve_first(self) -> None:
        for fd, _ in self._poll_first(0, SHARE):
            watched = self._watched.get(fd)
            if watched is None or not watched.early:  # one of those before has closed it
                continue
            watched.early -= 1
            if not watched.early:
                self._first.unregister(fd)
                self._crowd.register(fd, select.EPOLLIN)
            watched.callback()

    def _turn(self) -> None:
        # The loop reports an exception of a callback; the rest of the share is still ready.
        all_watched = self._watched
        ready = self._poll(0, SHARE)
        self._visits += len(ready)
        if len(ready) < SHARE or self._visits >= len(all_watched):
            self._end_round()
        for fd, _ in ready:
            watched = all_watched.get(fd)
            if watched is not None:  # else one of those before has closed it
                watched.callback()

    def _end_round(self) -> None:
        """Each socket that has something has had its turn."""
        now, crowd = self.loop.time(), (self._visits - FEW) / (MANY - FEW)
        due = self._began + ROUND * min(1.0, crowd)
        if now < due:
            self.loop.remove_reader(self._crowd.fileno())
            self._rest = self.loop.call_at(due, self._go_on)
        self._began, self._visits = max(now, due), 0

    def _go_on(self) -> None:
        self._rest = None
        self.loop.add_reader(self._crowd.fileno(), self._turn)
