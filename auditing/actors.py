"""The actor of the present task. The transports set it once they know the caller."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """Somebody who acts. `name` is for people; `address` is that of the network."""

    kind: str
    id: str = ""
    name: str = ""
    address: str = ""


OPERATOR = Actor("operator")
"""A command on the server, or the server itself."""

_actor: contextvars.ContextVar[Actor] = contextvars.ContextVar("audit_actor", default=OPERATOR)


def act_as(actor: Actor) -> None:
    """From now on this task, and the database steps that it awaits, act for `actor`."""
    _actor.set(actor)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Act for `actor` inside of it."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def present() -> Actor:
    """The actor of the present task."""
    return _actor.get()
