"""The sockets of model servers, served by a poller of their own inside the event loop.

A loop reads every socket that is ready before it does anything else. With a thousand streams that
is a turn of 100 ms, and whatever takes several turns, as each new question does, waits for as many
of them. Here a turn of the loop serves `SHARE` sockets, and all else comes between two shares.
"""

import asyncio
import select
from collections.abc import Callable
from functools import partial
from weakref import WeakKeyDictionary, ref

SHARE = 64
"""Sockets in a turn of the loop. Of 900 streams on a full core, shares of 16 and 32 make questions
faster still, but let some tokens wait for 300 ms meanwhile; 128 is no better for either."""

FEW, MANY = 200, 600  # visits
ROUND = 0.06  # seconds
"""A visit costs far more than each token that it brings. So a crowd is visited less often: after a
round of more than FEW visits the next one waits, after MANY until ROUND is over, in which a model
says about three tokens."""


def watch(fd: int, callback: Callable[[], object]) -> Callable[[], object]:
    """Call back when there is something to read, until what is returned here is called; that must
    be done before the socket is closed.

    `callback` need not read all that there is: it is called again for the rest."""
    loop = asyncio.get_running_loop()
    if not hasattr(select, "epoll"):  # a laptop: no share there, all that is ready is served
        loop.add_reader(fd, callback)
        return partial(loop.remove_reader, fd)
    held = _pollers.get(loop)
    poller = held() if held else None
    if poller is None:
        poller = Poller(loop)
        _pollers[loop] = ref(poller)
    poller.watch(fd, callback)
    return partial(poller.forget, fd)


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, "ref[Poller]"] = WeakKeyDictionary()
"""Each is held by its loop: one that is given up with sockets in it is no reason to keep those."""


class Poller:
    """Watches sockets for one loop, with a descriptor of its own that the loop watches.

    The kernel keeps what a share leaves over, in turn (epoll_wait(2): "round robin"). So there is
    no list here that could name a socket that is closed by now, or another with its number."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._poll = self._epoll.poll
        self._callbacks: dict[int, Callable[[], object]] = {}
        self._began, self._visits = loop.time(), 0  # of this round
        self._rest: asyncio.TimerHandle | None = None
        loop.add_reader(self._epoll.fileno(), self._turn)

    def watch(self, fd: int, callback: Callable[[], object]) -> None:
        """See the function. Raises `OSError`."""
        self._callbacks[fd] = callback
        try:
            self._epoll.register(fd, select.EPOLLIN)
        except OSError:
            self._drop(fd)
            raise

    def forget(self, fd: int) -> None:
        """The last one closes the poller."""
        self._epoll.unregister(fd)
        self._drop(fd)

    def _drop(self, fd: int) -> None:
        del self._callbacks[fd]
        if not self._callbacks:
            del _pollers[self._loop]
            if self._rest is not None:
                self._rest.cancel()
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _turn(self) -> None:
        # What a callback raises is the loop's to report; the rest of the share is still ready.
        callbacks = self._callbacks
        ready = self._poll(0, SHARE)
        self._visits += len(ready)
        if len(ready) < SHARE or self._visits >= len(callbacks):
            self._end_round()
        for fd, _ in ready:
            callback = callbacks.get(fd)
            if callback is not None:  # else one of those before has closed it
                callback()

    def _end_round(self) -> None:
        """Each socket that has something has had its turn."""
        now, crowd = self._loop.time(), (self._visits - FEW) / (MANY - FEW)
        due = self._began + ROUND * min(1.0, crowd)
        if now < due:
            self._loop.remove_reader(self._epoll.fileno())
            self._rest = self._loop.call_at(due, self._go_on)
        self._began, self._visits = max(now, due), 0

    def _go_on(self) -> None:
        self._rest = None
        self._loop.add_reader(self._epoll.fileno(), self._turn)
