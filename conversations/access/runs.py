"""Rows of runs."""

from collections.abc import Collection

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agents.caller import Caller
from agents.principal import Principal
from conversations.access.conversations import conversation
from conversations.access.scope import impossible, scope
from conversations.models import UNFINISHED, Conversation, Message, Run
from engine.errors import ClawError

MAX_RUNS = 200
"""With their messages, in one step."""


def run(caller: Caller, run_id: str, *beyond: str) -> Run:
    """One run with its conversation and messages: one of the caller's own, also by the name that
    the caller gave its message, or, for a caller who has all of the scopes `beyond`, anybody's.
    Raises `run_not_found`."""
    everybody = bool(beyond) and caller.principal.scopes.issuperset(beyond)
    rows = Run.objects.filter(scope(caller, everybody=everybody), pk=run_id)
    related = rows.select_related("conversation", "message", "user_message")
    found = None
    if not impossible(run_id):
        found = related.first() or run_of_client_message(caller, run_id)
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


def latest_run(caller: Caller, public_id: str) -> Run:
    """A conversation's active run, else its latest. Raises `conversation_not_found`, and
    `run_not_found` if it has none."""
    mine = conversation(caller, public_id)
    standing = Run.objects.filter(
        conversation=mine, user_message__replaced=False, user_message__joined=None
    )
    runs = standing.select_related("conversation", "message", "user_message")
    active = runs.filter(UNFINISHED).order_by("user_message").first()
    found = active or runs.order_by("-user_message").first()
    if found is None:
        raise ClawError("run_not_found", "The conversation has no run yet.")
    return found


def run_of_client_message(caller: Caller, client_message_id: str) -> Run | None:
    """The run that the caller's message with this id has started, if there is one."""
    return (
        Run.objects.filter(scope(caller), client_message_id=client_message_id)
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
    runs = Run.objects.filter(scope(caller), UNFINISHED, pk__in=names)
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


def runs_of_organization(principal: Principal) -> QuerySet[Run]:
    """Every run of the organisation. Raises `forbidden` without the scope `usage:read`."""
    principal.require("usage:read")
    return Run.objects.filter(organization=principal.organization_id)


def note_resumed(run: Run, name: str, after: int) -> None:
    """Note that a client of AG-UI goes on with a run under this name, behind position `after`."""
    foreign = run.foreign or {}
    run.foreign = foreign | {"resumes": foreign.get("resumes", {}) | {name: after}}
    run.save(update_fields=["foreign"])


def last_tokens(conversation: Conversation) -> int:
    """The tokens of the conversation's last answer with all that came before it, 0 at first."""
    if conversation._state.adding:
        return 0
    runs = Run.objects.filter(conversation=conversation).exclude(usage=None)
    usage = runs.order_by("-user_message").values_list("usage", flat=True).first()
    return usage["totalTokens"] if usage else 0
