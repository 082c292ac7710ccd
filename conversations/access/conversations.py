"""Rows of conversations."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from django.db.models import Func, Q, QuerySet, TextField

from agents.caller import Caller
from conversations.access.decisions import MAX_DEPTH
from conversations.access.scope import impossible, scope
from conversations.models import Conversation
from core.statements import read_rows
from engine.errors import ClawError, invalid

MAX_ERASED = 200  # conversations of a visitor, in one step


def conversations(caller: Caller) -> QuerySet[Conversation]:
    """The caller's conversations, of all agents the caller may use or of the one named."""
    return Conversation.objects.filter(scope(caller))


def conversation(caller: Caller, public_id: str) -> Conversation:
    """One conversation by its id or the caller's alias. Raises `conversation_not_found`, and
    `invalid_message` for an alias that means another one with each of the caller's agents."""
    found = conversations(caller).filter(called(public_id))
    # An id of ours is stronger than an alias that looks like it.
    rows = [] if impossible(public_id) else found[:3]
    best = sorted(rows, key=lambda row: row.pk != public_id)
    if not best:
        raise ClawError("conversation_not_found", "There is no such conversation.")
    if best[0].pk != public_id and len(best) > 1:
        raise invalid("agentId", "Several agents have a conversation of this name: name the agent.")
    return best[0]


def create_conversation(caller: Caller, alias: str | None, title: str) -> Conversation:
    """A new, empty conversation with the caller's agent. Raises `conversation_exists` if the
    caller already has one of that name."""
    agent = caller.require_agent()
    if alias is not None and conversations(caller).filter(called(alias)).exists():
        raise ClawError("conversation_exists", "You already have a conversation of this name.")
    return Conversation.objects.create(
        organization_id=caller.principal.organization_id,
        agent_id=agent.id,
        owner=caller.principal.owner,
        alias=alias,
        title=title,
    )


def called(name: str) -> Q:
    """Conversations of this id or alias."""
    return Q(pk=name) | Q(alias=name)


def hold(named: Iterable[tuple[Caller, str]]) -> None:
    """Wait until nobody else holds one of these conversations, of callers who name them by id or
    alias, and hold them to the end of this transaction. On PostgreSQL only.

    Not by locks of their rows: those who store answers are not in the way. In the order of keys,
    or two with the same conversations would wait for each other."""
    rows = [conversations(who).filter(called(name)) for who, name in named]
    if rows:
        list(reduce(or_, rows).order_by("pk").values_list(Held("pk")))


class Held(Func):
    """A lock that ends with the transaction. Computed after the rows are in order."""

    template = "pg_advisory_xact_lock(hashtextextended(%(expressions)s, 0))"
    output_field = TextField()


NEWEST = """
SELECT id, (SELECT message.id FROM conversations_message message
             WHERE message.conversation_id = conversations_conversation.id
               AND message.role = 'user'
             ORDER BY message.id DESC LIMIT 1)
  FROM conversations_conversation WHERE id IN ({keys})
"""


def lineage(conversation_id: str) -> list[str]:
    """This conversation, and those in which agents have asked each other for it: that of the
    person who asks comes last."""
    above = [f"{'parent__' * depth}pk" for depth in range(MAX_DEPTH + 1)]
    names = Conversation.objects.filter(pk=conversation_id).values_list(*above).first()
    return [name for name in names or () if name is not None]


def newest_questions(conversation_ids: Sequence[str]) -> dict[str, int]:
    """The key of the newest user's message in each of these conversations, 0 where there is none;
    one that has been deleted is not in it. Costs one look into an index each."""
    return {name: newest or 0 for name, newest in read_rows(NEWEST, conversation_ids)}


def of_agent(caller: Caller) -> QuerySet[Conversation]:
    """Every conversation with the caller's agent, of all callers."""
    return Conversation.objects.filter(agent=caller.require_agent().id)


def some_of_owner(caller: Caller, owner: str) -> list[Conversation]:
    """Some conversations of this owner with the caller's agent; none at the end."""
    return list(of_agent(caller).filter(owner=owner)[:MAX_ERASED])
