"""What an organisation changes in its agents and keys, every process forgets that remembered it.

Whoever is not told (by a command, a process of its own) notices seconds later, when what it
remembers has ended; what a key has open is cut by the sweep in any case."""

from collections.abc import Callable
from typing import TypeAlias

from django.db import transaction

Listener: TypeAlias = Callable[[str], None]

_forgetting: list[Listener] = []
_telling: list[Listener] = []


def forgets(listener: Listener) -> Listener:
    """Decorates what drops an organisation (by its id) from a cache of this process."""
    _forgetting.append(listener)
    return listener


def tell(listener: Listener) -> Callable[[], None]:
    """Hand every change that is committed here to `listener`, which must not wait, in the thread
    of the transaction; returns what ends that."""
    _telling.append(listener)
    return lambda: _telling.remove(listener)


def announce(organization_id: str) -> None:
    """Something of this organisation changes in the present transaction."""
    transaction.on_commit(lambda: _committed(organization_id))


def forget(organization_id: str) -> None:
    """Something of this organisation was changed, here or elsewhere."""
    for listener in _forgetting:
        listener(organization_id)


def _committed(organization_id: str) -> None:
    forget(organization_id)
    for listener in _telling:
        listener(organization_id)
