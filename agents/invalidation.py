"""Changes of an organisation's agents, keys and members, announced to the caches that hold them.

Every row that is saved or deleted is announced here, by every writer. The sweep
(`conversations.process.revocation`) finds changes that are not announced (by a command, which is a
process of its own, or by a statement that saves no row) for whatever is open; a cache forgets them
by itself within seconds."""

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from django.db import models, transaction

Listener: TypeAlias = Callable[[str], None]
"""Takes the id of an organisation, and must not wait."""

_changed: list[Listener] = []
_committed: list[Listener] = []


def on_change(listener: Listener) -> Listener:
    """Decorate a function that drops an organisation from a cache of this process."""
    _changed.append(listener)
    return listener


def listen(listener: Listener) -> Callable[[], None]:
    """Hand every organisation that has changed, here or elsewhere, to `listener`, after the caches
    and in the thread in which it happens. Returns a function that ends this."""
    _changed.append(listener)
    return lambda: _changed.remove(listener)


def listen_to_commits(listener: Listener) -> Callable[[], None]:
    """Hand every change that is committed in this process to `listener`, in the thread of the
    transaction. Returns a function that ends this."""
    _committed.append(listener)
    return lambda: _committed.remove(listener)


def publish(organization_id: str) -> None:
    """Announce a change of this organisation once the present transaction is committed."""
    transaction.on_commit(lambda: _commit(organization_id))


def forget(organization_id: str) -> None:
    """Forget this organisation: it was changed, here or elsewhere."""
    for listener in _changed:
        listener(organization_id)


def watch(*owned: type[models.Model], owner: type[models.Model], linked: Any) -> None:
    """Announce every change of rows of the `owned` models, of their `owner`, the organisation, and
    of `linked`, a relation of theirs. Call it once, when the models are loaded."""
    watch_rows(*owned, owner)
    models.signals.m2m_changed.connect(_linked, sender=linked)


def watch_rows(*owned: type[models.Model]) -> None:
    """Announce every change of rows of these models. Call it once, when they are loaded."""
    for model in owned:
        models.signals.post_save.connect(_saved, sender=model)
        models.signals.post_delete.connect(_deleted, sender=model)


def _commit(organization_id: str) -> None:
    forget(organization_id)
    for listener in _committed:
        listener(organization_id)


def _saved(instance: Any, update_fields: Collection[str] | None = None, **about: Any) -> None:
    if set(update_fields or ()) != {"last_used_at"}:  # the use of a key changes no right
        _deleted(instance)


def _deleted(instance: Any, **about: Any) -> None:
    publish(getattr(instance, "organization_id", None) or instance.pk)


def _linked(instance: Any, action: str, **about: Any) -> None:
    if action.startswith("post_"):
        publish(instance.organization_id)
