"""The only way to the rows of memories: each function says whose they are.

An owner is one visitor of one agent; only the server names it."""

import re
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Length
from django.utils import timezone

from agents.auth import visitors
from agents.caller import Caller
from engine.errors import ClawError
from memories.models import Memory

MAX_MEMORIES = 200
"""Of one owner: all of them are looked at in each search."""
MAX_CHARACTERS = 64 * 1024
"""Of the keys' contents of one owner together."""
MAX_FOUND = 10
"""Memories in one answer to a search: a model is sent all of them."""
MAX_ERASED = 500
"""Rows in one transaction."""

_WORD = re.compile(r"\w+")


class Owner(NamedTuple):
    """The owner of some memories: an agent, and the owner of its conversations."""

    agent_id: str
    name: str


class NoRoom(Exception):
    """The owner has as many memories as there may be; the message is for the model."""


@transaction.atomic
def save(owner: Owner, key: str, content: str) -> Memory:
    """Remember a content under a key, in place of an earlier one. Raises `NoRoom`."""
    mine = _of(owner)
    others = mine.exclude(key=key)
    if others.count() >= MAX_MEMORIES:
        raise NoRoom(f"There are {MAX_MEMORIES} memories already: forget one first.")
    used = others.aggregate(size=Sum(Length("content")))["size"] or 0
    if used + len(content) > MAX_CHARACTERS:
        raise NoRoom("The memories are too large together: forget one first.")
    # The row is made anew, so that an id names one content.
    mine.filter(key=key).delete()
    return Memory.objects.create(
        agent_id=owner.agent_id,
        owner=owner.name,
        key=key,
        content=content,
        created_at=timezone.now(),
    )


def search(owner: Owner, query: str) -> list[Memory]:
    """The memories that have most words of the query, the best and then the newest first. All of
    them count for a query without words."""
    words = {word.casefold() for word in _WORD.findall(query)}
    rows = list(_of(owner).order_by("-created_at", "-id")[:MAX_MEMORIES])
    scores = {row.id: _score(row, words) for row in rows}
    found = [row for row in rows if scores[row.id] or not words]
    return sorted(found, key=lambda row: -scores[row.id])[:MAX_FOUND]


def forget(owner: Owner, *, id: str | None = None, key: str | None = None) -> Memory | None:
    """Delete a memory by its id or its key and return what it was; None if there is none."""
    names = {name: value for name, value in (("id", id), ("key", key)) if value is not None}
    found = _of(owner).filter(**names).first() if names else None
    if found is not None:
        Memory.objects.filter(pk=found.pk).delete()
    return found


def of_visitor(caller: Caller, visitor_id: str) -> QuerySet[Memory]:
    """The memories that the caller's agent has of a visitor."""
    return _of(Owner(caller.require_agent().id, visitors.owner_of(visitor_id)))


def own(caller: Caller) -> QuerySet[Memory]:
    """What agents remember of the caller, a visitor; of others they remember nothing."""
    principal = caller.principal
    rows = Memory.objects.filter(
        owner=principal.owner, agent__organization=principal.organization_id
    )
    return rows if caller.agent is None else rows.filter(agent=caller.agent.id)


def forget_own(caller: Caller, memory_id: str) -> None:
    """Delete a memory of the caller. Raises `not_found`."""
    if not own(caller).filter(pk=memory_id).delete()[0]:
        raise ClawError("not_found", "There is no such memory.")


def delete(caller: Caller, memory_id: str) -> None:
    """Delete a memory of the caller's agent. Raises `not_found`."""
    mine = Memory.objects.filter(agent=caller.require_agent().id, pk=memory_id)
    if not mine.delete()[0]:
        raise ClawError("not_found", "There is no such memory.")


def erase(owner: Owner) -> None:
    """Delete all memories of an owner."""
    _of(owner).delete()


def erase_some(agent_id: str) -> bool:
    """Delete some memories of an agent; returns whether there were any."""
    some = Memory.objects.filter(agent=agent_id).values_list("pk", flat=True)[:MAX_ERASED]
    return bool(Memory.objects.filter(pk__in=list(some)).delete()[0])


def _of(owner: Owner) -> QuerySet[Memory]:
    return Memory.objects.filter(agent=owner.agent_id, owner=owner.name)


def _score(memory: Memory, words: set[str]) -> int:
    """The number of words that the memory has, also as the beginning of a longer one."""
    known = [word.casefold() for word in _WORD.findall(f"{memory.key} {memory.content}")]
    return sum(any(each.startswith(word) for each in known) for word in words)
