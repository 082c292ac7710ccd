"""A run as the runner needs it: claimed for one attempt, with its prompt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.caller import AgentConfig
from conversations.models import Run, RunStatus, may_become
from conversations.statements import places
from engine.events import RunStarted, Stamp
from engine.request import ModelRequest, Turn, fit
from engine.transcript import Transcript, fold

HISTORY_LIMIT = 400  # messages read for a prompt; the context budget cuts further

Enqueue: TypeAlias = Callable[[Sequence[Run]], None]
"""Called within the transaction that makes runs ready."""


def no_queue(runs: Sequence[Run]) -> None:
    """Where there is no queue: runs are submitted after the transaction, or found later."""


@dataclass(frozen=True)
class Job:
    """One attempt at one run."""

    run: Run
    agent: AgentConfig
    request: ModelRequest
    stamp: Stamp
    attempt: int


def claim(runs: list[Run]) -> list[Job | None]:
    """Take each run for its next attempt, or None if it is not this caller's to take: another run
    of the conversation is active or waits before it, it was cancelled, or another attempt has it.

    Synchronous; one database step."""
    if not _take(runs):
        if len(runs) > 1:
            return [claim([run])[0] for run in runs]
        if not _take_in_line(runs[0]):
            return [None]
    return jobs_of(runs)


def begin(runs: Iterable[Run], now: datetime) -> None:
    """Their next attempt begins: what a claim stores."""
    for run in runs:
        run.status, run.attempt, run.started_at = RunStatus.RUNNING, run.attempt + 1, now


def jobs_of(runs: list[Run]) -> list[Job]:
    """Runs that are taken, with their prompts. Synchronous."""
    if not runs:
        return []
    return [
        Job(run, agent_of(run), request, stamp(run), run.attempt)
        for run, request in zip(runs, prompts(runs), strict=True)
    ]


# In SQL, since this stands between a question and its answer: Django takes longer to compose it
# than to have it carried out.
TAKE = """
UPDATE conversations_run SET status = 'running', attempt = attempt + 1, started_at = %s
 WHERE (id, attempt, status) IN (VALUES {runs})
   AND (status <> 'queued' OR NOT EXISTS (
        SELECT 1 FROM conversations_run other
         WHERE other.conversation_id = conversations_run.conversation_id
           AND other.id <> conversations_run.id
           AND (other.status IN ('running', 'waiting')
                OR other.status = 'queued'
                AND other.user_message_id < conversations_run.user_message_id)))
"""


def _take(runs: list[Run]) -> bool:
    """All of them or none."""
    if not {run.status for run in runs} <= may_become(RunStatus.RUNNING):
        return False
    now = timezone.now()
    as_found = [value for run in runs for value in (run.pk, run.attempt, run.status)]
    statement = TAKE.format(runs=", ".join(["(%s, %s, %s)"] * len(runs)))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [connection.ops.adapt_datetimefield_value(now), *as_found])
            if cursor.rowcount != len(runs):
                transaction.set_rollback(True)
                return False
    except IntegrityError:  # the conversation's other run became active in the same moment
        return False
    begin(runs, now)
    return True


def _take_in_line(run: Run) -> bool:
    """Take a run before which another one stands, which may be ending at this moment: that
    transaction may have looked for the next run before it could see this one.

    So this waits for it, by the row that it has written to by then; or it waits for this, and
    looks later. The locks are taken in its order: the run, then the conversation."""
    if run.status != RunStatus.QUEUED:
        return False
    with transaction.atomic():
        locked = Run.objects.select_for_update(of=("self", "conversation"), no_key=True)
        found = locked.select_related("conversation").filter(pk=run.pk, status=run.status)
        return bool(found) and _take([run])


def agent_of(run: Run) -> AgentConfig:
    """The agent as it stood when the run was accepted."""
    return AgentConfig(**run.config)


def stamp(run: Run) -> Stamp:
    """The ids that every event of the run carries."""
    return Stamp(run.pk, run.conversation.public_id, run.message.public_id)


# Also a run's own question, where that has been replaced a moment ago.
TURNS = """
SELECT conversation_id, id, role, content FROM conversations_message
 WHERE conversation_id IN ({runs}) AND id <= %s AND (NOT replaced OR id IN ({runs}))
 ORDER BY id DESC LIMIT {limit}
"""


def prompts(runs: list[Run]) -> list[ModelRequest]:
    """What the model is sent for each run: the newest messages up to the run's own that fit the
    budget. No two runs are of one conversation."""
    own = {run.conversation_id: run.user_message_id for run in runs}
    statement = TURNS.format(runs=places(len(runs)), limit=HISTORY_LIMIT)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*own, max(own.values()), *own.values()])
        rows = cursor.fetchall()
    if len(runs) > 1 and len(rows) == HISTORY_LIMIT:  # one of them may have taken another's room
        return [prompts([run])[0] for run in runs]
    turns: dict[str, list[Turn]] = {run.conversation_id: [] for run in runs}
    for conversation, id_, role, content in reversed(rows):
        if id_ <= own[conversation]:
            turns[conversation].append(Turn(role=role, content=content))
    return [_request(run, turns[run.conversation_id]) for run in runs]


def _request(run: Run, turns: list[Turn]) -> ModelRequest:
    agent = agent_of(run)
    return ModelRequest(
        model=run.model,
        instructions=agent.instructions,
        turns=fit(turns, agent.context_tokens),
        max_tokens=agent.max_tokens,
        thinking=agent.thinking,
        parameters=agent.parameters,
    )


def started_event(run: Run, place: int | None = None) -> RunStarted:
    """The first event of a run; `place` is its place in line, from 1, if it must wait."""
    return RunStarted(
        agent_id=run.agent_id,
        provider=run.provider,
        model=run.model,
        user_message_id=run.user_message.public_id,
        user_content=run.user_message.content,
        client_message_id=run.client_message_id,
        queued=place,
        replaces=run.user_message.replaces,
    )


def first_fold(run: Run) -> Transcript:
    """The transcript of a run of which only the first event is in the log."""
    return fold(Transcript(), stamp(run).mark(started_event(run), 1))
