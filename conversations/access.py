"""The only way to the rows of conversations, messages and runs: everything here is scoped to a
caller, and what is not the caller's is answered like what does not exist."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Func, Q, QuerySet, TextField
from django.utils import timezone

from agents.access import opened_by
from agents.caller import Caller
from conversations.loading import load
from conversations.models import ACTIVE, FINAL, Conversation, Message, Run, RunStatus
from engine.errors import ClawError, invalid


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
    """A new, empty conversation with the caller's agent. Raises `invalid_message` if the caller
    already has one of that name."""
    agent = caller.require_agent()
    if alias is not None and conversations(caller).filter(called(alias)).exists():
        raise invalid("id", "You already have a conversation of this name.")
    return Conversation.objects.create(
        organization_id=caller.organization_id,
        agent_id=agent.id,
        owner=caller.owner,
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


def runs_of(conversation: Conversation) -> list[Run]:
    """All runs of a conversation that the caller was given above."""
    runs = Run.objects.filter(conversation=conversation)
    return list(runs.select_related("conversation", "message", "user_message"))


def messages(conversation: Conversation) -> QuerySet[Message]:
    """The messages of a conversation that the caller was given above."""
    return Message.objects.filter(conversation=conversation).select_related("run", "asked")


def message(caller: Caller, public_id: str, role: str) -> Message:
    """One message of this role that is still in a history of the caller's. Raises
    `message_not_found`."""
    mine = Message.objects.filter(conversation__in=conversations(caller), replaced=False)
    rows = mine.filter(public_id=public_id, role=role)
    related = rows.select_related("conversation", "run", "asked")
    found = None if impossible(public_id) else related.first()
    if found is None:
        raise ClawError("message_not_found", "There is no such message.")
    return found


def replace_message(message: Message) -> None:
    """Take a message, and all that follows it in its conversation, out of the history.

    Raises `message_not_found` if somebody was faster."""
    if not Message.objects.filter(pk=message.pk, replaced=False).update(replaced=True):
        raise ClawError("message_not_found", "This message has been replaced already.")
    Message.objects.filter(conversation=message.conversation_id, id__gt=message.pk).update(
        replaced=True
    )


def run(caller: Caller, run_id: str) -> Run:
    """One run with its conversation and messages. Raises `run_not_found`."""
    rows = Run.objects.filter(_scope(caller), pk=run_id)
    related = rows.select_related("conversation", "message", "user_message")
    found = None if impossible(run_id) else related.first()
    if found is None:
        raise ClawError("run_not_found", "There is no such run.")
    return found


def latest_run(caller: Caller, public_id: str) -> Run:
    """A conversation's active run, else its latest. Raises `conversation_not_found`, and
    `run_not_found` if it has none."""
    mine = conversation(caller, public_id)
    runs = Run.objects.filter(conversation=mine, user_message__replaced=False).select_related(
        "conversation", "message", "user_message"
    )
    active = runs.filter(status__in=[*ACTIVE, RunStatus.QUEUED]).order_by("user_message").first()
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
    return [run for run in runs_of(conversation) if run.status not in FINAL]


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


def unfinished_of_organization(caller: Caller) -> list[Run]:
    """Every run of the caller's organisation that has not ended, whoever started it. Raises
    `forbidden` without the scope `admin`."""
    caller.require("admin")
    runs = Run.objects.filter(organization=caller.organization_id).exclude(status__in=FINAL)
    return list(runs.select_related("conversation", "message", "user_message"))


def followable_runs(caller: Caller) -> list[Run]:
    """The runs of the caller's agent, whoever started them, of which there may be a log."""
    ended = timezone.now() - timedelta(seconds=settings.CLAW_LOG_RETENTION)
    runs = Run.objects.filter(agent=caller.require_agent().id).filter(
        ~Q(status__in=FINAL) | Q(finished_at__gt=ended)
    )
    return list(runs.select_related("conversation", "message", "user_message"))


def runs_of_organization(caller: Caller, since: datetime, until: datetime) -> QuerySet[Run]:
    """Every run of the caller's organisation that was asked for in this time. Raises `forbidden`
    without the scope `usage:read`."""
    caller.require("usage:read")
    runs = Run.objects.filter(organization=caller.organization_id)
    return runs.filter(created_at__gte=since, created_at__lt=until)


def runs_by_id(run_ids: list[str]) -> list[Run | None]:
    """Any runs, in this order, for who carries them out; None for each that has been erased."""
    found = load(Run, ("conversation", "message", "user_message"), run_ids)
    return [found.get(run_id) for run_id in run_ids]


def request_stop(run: Run, stop: dict[str, str]) -> None:
    """Leave word for whoever carries out a run: the error to end it with, or {}."""
    unfinished = Run.objects.filter(pk=run.pk).exclude(status__in=FINAL)
    unfinished.filter(stop__isnull=True).update(stop=stop)


def requested_stops(run_ids: list[str]) -> dict[str, dict[str, str]]:
    """Which of these runs shall stop, and how."""
    return dict(Run.objects.filter(pk__in=run_ids, stop__isnull=False).values_list("pk", "stop"))


def unfinished_of_keys(key_ids: list[str]) -> list[Run]:
    """Runs that these keys have started and that have not ended."""
    return list(
        Run.objects.filter(api_key__in=key_ids)
        .exclude(status__in=FINAL)
        .select_related("conversation", "message", "user_message")
    )


def impossible(public_id: str) -> bool:
    """Whether no row can have this id: PostgreSQL fails when it is asked for a NUL."""
    return "\0" in public_id


def _scope(caller: Caller) -> Q:
    scope = Q(organization=caller.organization_id, owner=caller.owner)
    if caller.agent is not None:
        return scope & Q(agent=caller.agent.id)
    return scope & Q(agent__in=opened_by(caller))
