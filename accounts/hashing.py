"""Password hashing, one at a time: Argon2 takes 100 MB and several cores for each.

Sixteen logins at the same moment would take 1.6 GB otherwise. Every log-in and every new
password comes through here (`PASSWORD_HASHERS`)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from engine.errors import Unavailable

MAX_WAITING = 32  # threads; one takes about 0.15 s on an idle machine
MAX_WAIT_SECONDS = 20.0

_turn = threading.Lock()
_places = threading.BoundedSemaphore(1 + MAX_WAITING)
_mine = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Be the only thread that hashes; one that has the turn already keeps it.

    Raises `Unavailable` where too many wait, or after too long a wait."""
    if getattr(_mine, "held", False):
        yield
        return
    if not _places.acquire(blocking=False):
        raise _busy()
    try:
        if not _turn.acquire(timeout=MAX_WAIT_SECONDS):
            raise _busy()
        _mine.held = True
        try:
            yield
        finally:
            _mine.held = False
            _turn.release()
    finally:
        _places.release()


class SerialArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's hasher with the same hashes. Raises `Unavailable` where too many wait."""

    def encode(self, password: str, salt: str) -> str:
        """See Django's."""
        with turn():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """See Django's."""
        with turn():
            return bool(super().verify(password, encoded))


def _busy() -> Unavailable:
    return Unavailable("Too many people are logging in, try again soon.")
