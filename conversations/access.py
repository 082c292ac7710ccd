"""The only way to the rows of conversations, messages and runs: everything here is scoped to a
caller, and what is not the caller's is answered like what does not exist."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Count, Func, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents.access import opened_by
from agents.caller import Caller
from agents.principal import OF_KEYS, Principal
from conversations.models import UNFINISHED, Conversation, Decision, Message, Run
from core.chunks import chunks
from core.loading import load
from core.statements import read_rows
from engine.errors import ClawError, invalid

MAX_RUNS = 200
"""With their messages, in one step."""
MAX_DEPTH = 3
"""Runs of other agents beneath one another, below the one that somebody has asked for."""
READING = ("monitor:read", "conversations:read")
"""The scopes of one who may read what others have said to the agents."""
MAX_VERSIONS = 50
"""Of one message, each with its answer."""
MAX_EDITED = 1000
"""Edited messages of a conversation among which the versions of one are looked for."""


def conversations(caller: Caller) -> QuerySet[Conversation]:
    """The caller's conversations, of all agents the caller may use or of the one named."""
    return Conversation.objects.filter(_scope(caller))


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


def messages(conversation: Conversation) -> QuerySet[Message]:
    """The messages of a conversation that the caller was given above."""
    return Message.objects.filter(conversation=conversation).select_related("run", "asked")


def question(caller: Caller, public_id: str) -> Message:
    """One message of a user that is still in a history of the caller's. Raises
    `message_not_found`."""
    return _message(caller, public_id, role="user", replaced=False)


def answer(caller: Caller, public_id: str) -> Message:
    """One answer in a conversation of the caller's: earlier versions count too. Raises
    `message_not_found`."""
    return _message(caller, public_id, role="assistant")


def _message(caller: Caller, public_id: str, **chosen: object) -> Message:
    rows = Message.objects.filter(conversation__in=conversations(caller), public_id=public_id)
    related = rows.filter(**chosen).select_related("conversation", "run", "asked")
    found = None if impossible(public_id) else related.first()
    if found is None:
        raise ClawError("message_not_found", "There is no such message.")
    return found


def versions(message: Message) -> QuerySet[Message]:
    """A user's message, those in whose place it came, and the answers to all of them. Of its
    versions the newest `MAX_VERSIONS`."""
    said = Message.objects.filter(conversation=message.conversation_id, id__lte=message.pk)
    edited = said.exclude(replaces=None).order_by("-id").values_list("public_id", "replaces")
    earlier = dict(edited[:MAX_EDITED])
    names = [message.public_id]
    while len(names) < MAX_VERSIONS and (before := earlier.get(names[-1])):
        names.append(before)
    asked = said.filter(public_id__in=names).values("pk")
    mine = Message.objects.filter(Q(pk__in=asked) | Q(run__user_message__in=asked))
    return mine.select_related("run", "asked")


def replace_message(message: Message) -> None:
    """Take a message, and all that follows it in its conversation, out of the history.

    Raises `message_not_found` if somebody was faster."""
    if not Message.objects.filter(pk=message.pk, replaced=False).update(replaced=True):
        raise ClawError("message_not_found", "This message has been replaced already.")
    Message.objects.filter(conversation=message.conversation_id, id__gt=message.pk).update(
        replaced=True
    )


def run(caller: Caller, run_id: str, *beyond: str) -> Run:
    """One run with its conversation and messages: one of the caller's own or, for a caller who has
    all of the scopes `beyond`, anybody's. Raises `run_not_found`."""
    everybody = bool(beyond) and caller.principal.scopes.issuperset(beyond)
    rows = Run.objects.filter(_scope(caller, everybody=everybody), pk=run_id)
    related = rows.select_related("conversation", "message", "user_message")
    found = None if impossible(run_id) else related.first()
    if found is None:
        raise ClawError("run_not_found", "There is no such run.")
    return found


def run_shown(caller: Caller, run_id: str) -> Run:
    """One run, unless it is hidden from clients of Responses. Raises `run_not_found`."""
    found = run(caller, run_id)
    if (found.foreign or {}).get("store") is False:
        raise ClawError("run_not_found", "There is no such response.")
    return found


def hide_run(run: Run) -> None:
    """Hide a run that the caller was given above from clients of Responses."""
    run.foreign = (run.foreign or {}) | {"store": False}
    run.save(update_fields=["foreign"])


def texts_up_to(run: Run, at_most: int) -> list[Message] | None:
    """The newest messages of a run's conversation that it had seen and its answer, oldest first, if
    others follow them; None if nothing follows."""
    standing = Message.objects.filter(conversation=run.conversation_id, replaced=False)
    if not standing.filter(id__gt=run.message_id).exists():
        return None
    seen = standing.filter(id__lte=run.message_id).order_by("-id")[:at_most]
    return list(reversed(seen))


def latest_run(caller: Caller, public_id: str) -> Run:
    """A conversation's active run, else its latest. Raises `conversation_not_found`, and
    `run_not_found` if it has none."""
    mine = conversation(caller, public_id)
    runs = Run.objects.filter(conversation=mine, user_message__replaced=False).select_related(
        "conversation", "message", "user_message"
    )
    active = runs.filter(UNFINISHED).order_by("user_message").first()
    found = active or runs.order_by("-user_message").first()
    if found is None:
        raise ClawError("run_not_found", "The conversation has no run yet.")
    return found


def run_of_client_message(caller: Caller, client_message_id: str) -> Run | None:
    """The run that the caller's message with this id has started, if there is one."""
    return (
        Run.objects.filter(_scope(caller), client_message_id=client_message_id)
        .select_related("conversation", "message", "user_message")
        .first()
    )


def unfinished_runs(conversation: Conversation) -> list[Run]:
    """Runs of a conversation that the caller was given above and that have not ended."""
    runs = Run.objects.filter(UNFINISHED, conversation=conversation)
    return list(runs.select_related("conversation", "message", "user_message"))


def unfinished_of(caller: Caller, run_ids: Collection[str]) -> list[Run]:
    """Those of these runs that are the caller's and have not ended, the newest first."""
    names = [name for name in run_ids if not impossible(name)]
    runs = Run.objects.filter(_scope(caller), UNFINISHED, pk__in=names)
    return list(runs.order_by("-user_message")[:MAX_RUNS])


def count_of_unfinished() -> Coalesce:
    """The number of unfinished runs of each conversation, for `annotate`."""
    runs = Run.objects.filter(UNFINISHED, conversation=OuterRef("pk")).order_by()
    counted = runs.values("conversation").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def present(caller: Caller, public_id: str) -> tuple[Conversation, Run | None, int]:
    """A conversation, its active run (else the first that waits), and the position from which
    everything is new: before the active run, or after the last message.

    Raises `conversation_not_found`."""
    found = conversation(caller, public_id)
    standing = [run for run in unfinished_runs(found) if not run.user_message.replaced]
    unfinished = sorted(standing, key=lambda run: run.user_message_id)
    if unfinished:
        return found, unfinished[0], unfinished[0].user_message_id - 1
    last = Message.objects.filter(conversation=found).order_by("-id").first()
    return found, None, last.id if last else 0


def runs_after(conversation: Conversation, position: int) -> list[Run]:
    """The runs whose user message comes after a position (a message's key), in order.

    Raises `conversation_not_found` once the conversation has been deleted."""
    runs = Run.objects.filter(conversation=conversation, user_message__gt=position)
    standing = runs.filter(user_message__replaced=False)
    related = standing.select_related("conversation", "message", "user_message")
    found = list(related.order_by("user_message")[:100])
    if not found and not Conversation.objects.filter(pk=conversation.pk).exists():
        raise ClawError(
            "conversation_not_found",
            "This conversation has been deleted.",
            details={"conversationId": conversation.public_id},
        )
    return found


NEWEST = """
SELECT id, (SELECT message.id FROM conversations_message message
             WHERE message.conversation_id = conversations_conversation.id
               AND message.role = 'user'
             ORDER BY message.id DESC LIMIT 1)
  FROM conversations_conversation WHERE id IN ({keys})
"""


def newest_questions(conversation_ids: Sequence[str]) -> dict[str, int]:
    """The key of the newest user's message in each of these conversations, 0 where there is none;
    one that has been deleted is not in it. Costs one look into an index each."""
    return {name: newest or 0 for name, newest in read_rows(NEWEST, conversation_ids)}


def unfinished_of_organization(principal: Principal, before: int | None = None) -> list[Run]:
    """Some runs of the organisation that have not ended, of all callers: the newest, or
    those whose user message comes next before that key; none at the end. Raises `forbidden`
    without the scope `admin`."""
    principal.require("admin")
    return _newest(Run.objects.filter(UNFINISHED, organization=principal.organization_id), before)


def unfinished_of_agent(caller: Caller, before: int | None = None) -> list[Run]:
    """The same of the caller's agent."""
    organization, agent = caller.principal.organization_id, caller.require_agent().id
    return _newest(Run.objects.filter(UNFINISHED, organization=organization, agent=agent), before)


def _newest(runs: QuerySet[Run], before: int | None) -> list[Run]:
    if before is not None:
        runs = runs.filter(user_message__lt=before)
    related = runs.select_related("conversation", "message", "user_message")
    return list(related.order_by("-user_message")[:MAX_RUNS])


def owners_of(run_ids: list[str]) -> dict[str, str]:
    """The organisation of each of these runs; one that has been deleted is not in it."""
    return dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "organization_id"))


def count_unfinished() -> dict[str, int]:
    """The number of unfinished runs of all organisations, by status: for the operator."""
    unfinished = Run.objects.filter(UNFINISHED).values_list("status")
    return {"queued": 0, "running": 0} | dict(unfinished.annotate(Count("id")).order_by())


def of_agent(caller: Caller) -> QuerySet[Conversation]:
    """Every conversation with the caller's agent, of all callers."""
    return Conversation.objects.filter(agent=caller.require_agent().id)


def some_of_owner(caller: Caller, owner: str) -> list[Conversation]:
    """Some conversations of this owner with the caller's agent; none at the end."""
    return list(of_agent(caller).filter(owner=owner)[:MAX_RUNS])


def runs_of_organization(principal: Principal) -> QuerySet[Run]:
    """Every run of the organisation. Raises `forbidden` without the scope `usage:read`."""
    principal.require("usage:read")
    return Run.objects.filter(organization=principal.organization_id)


def runs_by_id(run_ids: list[str]) -> list[Run | None]:
    """Any runs, in this order, for who carries them out; None for each that has been erased."""
    found = load(Run, ("conversation", "message", "user_message"), run_ids)
    return [found.get(run_id) for run_id in run_ids]


def ended_before(moment: datetime, run_ids: Sequence[str]) -> list[Run]:
    """Those of these runs, of any organisation, that ended before a moment."""
    runs = Run.objects.filter(pk__in=run_ids, finished_at__lt=moment)
    return list(runs.select_related("conversation"))


def requested_stops(run_ids: list[str]) -> dict[str, dict[str, str]]:
    """Which of these runs shall stop, and how."""
    asked = Run.objects.filter(stop__isnull=False).values_list("pk", "stop")
    return {pk: stop for some in chunks(run_ids) for pk, stop in asked.filter(pk__in=some)}


def unfinished_of_ended_keys(organization_ids: Collection[str]) -> list[Run]:
    """Runs of these organisations that have not ended, while the key that has started them has:
    revoked, expired or deleted. Of a key that still exists each has its row."""
    over = Q(api_key__revoked_at__isnull=False) | Q(api_key__expires_at__lte=timezone.now())
    deleted = Q(api_key=None, owner=OF_KEYS)
    runs = Run.objects.filter(over | deleted, organization__in=list(organization_ids))
    unfinished = runs.filter(UNFINISHED)
    return list(unfinished.select_related("api_key", "conversation", "message", "user_message"))


def decisions(caller: Caller) -> QuerySet[Decision]:
    """What the caller's own runs wait for, or have waited for, and the runs of other agents for
    which these wait."""
    return Decision.objects.filter(reduce(or_, (_scope(caller, path) for path in _CONCERNED)))


def of_runs(run_ids: Collection[str]) -> Q:
    """Selects what these runs wait for, and the runs of other agents for which they wait."""
    return reduce(or_, (Q(**{f"{path}pk__in": run_ids}) for path in _CONCERNED))


def runs_below(run_id: str) -> list[str]:
    """The runs in which other agents were asked for a run, and those begun for these in turn."""
    found: list[str] = []
    level = [run_id]
    while level:
        level = list(Run.objects.filter(parent__in=level).values_list("pk", flat=True))
        found += level
    return found


def approvals(caller: Caller) -> QuerySet[Decision]:
    """The approvals that the caller may decide or is told of: a visitor's own, else all of the
    agents that the caller may ask. Raises `forbidden` without the scope `runs:approve`."""
    principal = caller.principal
    if not principal.trusted:
        return decisions(caller).filter(kind=Decision.Kind.APPROVAL)
    principal.require("runs:approve")
    agents = [caller.agent.id] if caller.agent is not None else opened_by(principal)
    rows = Decision.objects.filter(organization=principal.organization_id)
    rows = rows.filter(reduce(or_, (Q(**{f"{path}agent__in": agents}) for path in _CONCERNED)))
    return rows.filter(kind=Decision.Kind.APPROVAL)


def impossible(public_id: str) -> bool:
    """Whether no row can have this id: PostgreSQL fails when it is asked for a NUL."""
    return "\0" in public_id


_CONCERNED = [f"run__{'parent__' * depth}" for depth in range(MAX_DEPTH + 1)]
"""Ways from a decision to its run, and to the runs that wait for that one."""


def _scope(caller: Caller, path: str = "", *, everybody: bool = False) -> Q:
    """Selects the caller's own, or everybody's that the caller's rights reach; `path` leads to a
    run from what is selected."""
    principal = caller.principal
    own: dict[str, object] = {"organization": principal.organization_id}
    if not everybody:
        own["owner"] = principal.owner
    if caller.agent is not None:
        own["agent"] = caller.agent.id
    else:
        own["agent__in"] = opened_by(principal)
    return Q(**{f"{path}{name}": value for name, value in own.items()})
