"""Writes finished runs into the database, those that finish together in one transaction."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone
from msgspec.structs import replace

from conversations import access
from conversations.execution import waiting
from conversations.execution.enqueue import Enqueue, no_queue
from conversations.execution.recording import outcome, steps
from conversations.execution.recording.joining import join
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.storable import storable
from conversations.execution.waiting import decisions
from conversations.models import Message, Run, may_become
from conversations.usage import budgets, spending
from core.database import database_step
from core.statements import places, read_rows, update_rows
from core.tasks.batching import Batcher
from engine import events as ev
from engine.errors import Unavailable
from engine.log.base import Fenced
from engine.transcript import Transcript
from metering import recording as metering
from metering.recording import EndedRun

log = logging.getLogger(__name__)

GROUP = 50  # runs in one transaction: bounds how long it holds SQLite's write lock
GROUP_BYTES = 1024 * 1024  # text in one transaction: the same, and the memory for its statement

RUN_FIELDS = [
    "status",
    "usage",
    "cost",
    "error",
    "last_seq",
    "started_at",
    "first_token_at",
    "finished_at",
]
MESSAGE_FIELDS = [
    "content",
    "status",
    "thinking",
    "tools",
    "sources",
    "steps",
    "usage",
    "stop_reason",
    "error",
]

HELD = "SELECT id, attempt, status FROM conversations_run WHERE id IN ({keys}) ORDER BY id"
TOUCH = "UPDATE conversations_conversation SET last_message_at = %s WHERE id IN ({keys})"
WAITING = """
SELECT conversation_id, id FROM conversations_run
 WHERE conversation_id IN ({keys}) AND status = 'queued' AND finished_at IS NULL
 ORDER BY user_message_id DESC
"""


@dataclass(frozen=True)
class FinishedRun:
    """A run with its outcome. `attempt` must still hold it, or the commit is `Fenced`. It is a
    copy: a later claim counts up that of `run`."""

    run: Run
    attempt: int
    transcript: Transcript
    cancel_ms: int | None = None
    """From a stop to the moment in which the model server was left."""


class Recorder:
    """`enqueue` is called in the transaction for the runs that may begin because others ended."""

    def __init__(self, enqueue: Enqueue = no_queue) -> None:
        self.enqueue = enqueue
        self._batcher: Batcher[FinishedRun, list[Run]] = Batcher(
            lambda group: database_step(write, group, enqueue), _group_size, _owner
        )

    async def commit(self, finished: FinishedRun) -> list[Run]:
        """Store the outcome; returns the runs to begin now: the conversation's next one, and the
        run that has waited for this one.

        A row that the database refuses ends its run all the same, as a failure: the transcript's
        outcome is that failure then. Raises `Fenced` if a later attempt holds the run, and
        `Unavailable` without a database."""
        try:
            return await self._batcher.do(finished)
        except (Fenced, Unavailable):
            raise
        except Exception:  # whatever the database has against it: it must not run for ever
            log.exception("the answer of run %s cannot be stored", finished.run.pk)
            return await self._batcher.do(_refused(finished))

    async def aclose(self) -> None:
        """Wait until everything that was given is written."""
        await self._batcher.aclose()


def _refused(finished: FinishedRun) -> FinishedRun:
    """The end of a run whose answer cannot be stored: nothing of what a model server said."""
    said = finished.transcript
    failed = outcome.failed(outcome.unstorable(), Transcript(), Timing())
    if said.outcome is not None:
        failed = replace(failed, usage=said.outcome.usage)
    kept = Transcript()
    kept.started, kept.last_seq, kept.done = said.started, said.last_seq, said.done
    kept.outcome = said.outcome = failed
    return FinishedRun(finished.run, finished.attempt, kept, finished.cancel_ms)


def _group_size(group: list[FinishedRun]) -> int:
    """The number of `group` that go into the next transaction, at least one."""
    size = 0
    for count, finished in enumerate(group[:GROUP], 1):
        size += finished.transcript.size
        if size >= GROUP_BYTES:
            return count
    return min(GROUP, len(group))


def _owner(finished: FinishedRun) -> str:
    return finished.run.organization_id


def write(group: list[FinishedRun], enqueue: Enqueue = no_queue) -> list[list[Run] | Exception]:
    """One transaction for all of them; for each the runs to begin now, or `Fenced`. Synchronous."""
    with transaction.atomic():
        concerned = {pk for f in group for pk in (f.run.pk, *waiting.parents(f.run))}
        rows = read_rows(HELD, sorted(concerned), lock=True)
        found = {pk: held for pk, *held in rows}
        # One for each run, the first: two may have ended the same waiting run at once.
        valid = {f.run.pk: f for f in reversed(group) if _holds(f, *found.get(f.run.pk, (0, "")))}
        runs = [storable(_run_row(f), RUN_FIELDS) for f in valid.values()]
        update_rows(runs, RUN_FIELDS)
        messages = [storable(_message_row(f), MESSAGE_FIELDS) for f in valid.values()]
        update_rows(messages, MESSAGE_FIELDS)
        join((f.run, other) for f in valid.values() if (other := _joined(f)) is not None)
        conversations = list({f.run.conversation_id for f in valid.values()})
        _touch(conversations)
        spending.add(runs)
        budgets.settle(runs)
        metering.record(map(_ended, valid.values()))
        if asked := [f.run.pk for f in valid.values() if f.transcript.tools]:
            decisions.withdraw(asked)
        following = _next_runs(conversations)
        enqueue(list(following.values()))
        asking = [pk for f in valid.values() for pk in waiting.parents(f.run)]
        woken = {run.pk: run for run in waiting.wake_all(asking, enqueue)}
    return [
        _present(following.get(f.run.conversation_id), woken.get(f.run.parent_id))
        if valid.get(f.run.pk) is f
        else Fenced(f.run.pk)
        for f in group
    ]


def _present(*runs: Run | None) -> list[Run]:
    return [run for run in runs if run is not None]


def _holds(finished: FinishedRun, attempt: int, status: str) -> bool:
    """Whether the run, as it is, may end so."""
    return attempt == finished.attempt and status in may_become(finished.transcript.status)


def _joined(finished: FinishedRun) -> str | None:
    """The run that the message of this one has joined, if it has."""
    end = finished.transcript.outcome
    return end.joined_run_id if isinstance(end, ev.Cancelled) else None


def _touch(conversations: list[str]) -> None:
    """Sets the times of these conversations by a list of ids. `update_rows` would join,
    which takes the rows in any order, and two processes with the same conversations would wait for
    each other."""
    if conversations:
        statement = TOUCH.format(keys=places(len(conversations)))
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(statement, [now, *conversations])


def _next_runs(conversations: list[str]) -> dict[str, Run]:
    following = dict(read_rows(WAITING, conversations))  # the oldest of each comes last and stays
    rows = access.runs_by_id(list(following.values()))
    return {run.conversation_id: run for run in rows if run is not None}


def _run_row(finished: FinishedRun) -> Run:
    run, transcript = finished.run, finished.transcript
    usage = _usage(transcript)
    run.status = transcript.status
    run.usage, run.error = usage, _error(transcript)
    run.cost = None if usage is None or usage["cost"] is None else Decimal(str(usage["cost"]))
    run.last_seq = transcript.last_seq + (transcript.done is None)  # `done` follows this commit
    run.first_token_at = _first_token_at(run, usage)
    run.finished_at = timezone.now()
    return run


def _ended(finished: FinishedRun) -> EndedRun:
    run = finished.run
    return EndedRun(
        organization_id=run.organization_id,
        agent_id=run.agent_id,
        key_id=run.api_key_id,
        provider=run.provider,
        model=run.model,
        created_at=run.created_at,
        status=run.status,
        usage=run.usage,
        cost=run.cost,
        cancel_ms=finished.cancel_ms,
    )


def _message_row(finished: FinishedRun) -> Message:
    """A row of its own: watchers keep `finished.run` as long as they read, and its message with it,
    which must not become as large as the answer."""
    transcript = finished.transcript
    return Message(
        pk=finished.run.message_id,
        content=transcript.outcome.content if transcript.outcome else str(transcript.text),
        status=transcript.status,
        thinking=str(transcript.thinking),
        tools=msgspec.to_builtins(transcript.tools),
        sources=msgspec.to_builtins(transcript.sources),
        steps=steps.pack(finished.run, transcript),
        usage=_usage(transcript),
        error=_error(transcript),
        stop_reason=transcript.stop_reason,
    )


def _usage(transcript: Transcript) -> dict[str, Any] | None:
    return msgspec.to_builtins(transcript.outcome.usage) if transcript.outcome else None


def _error(transcript: Transcript) -> dict[str, Any] | None:
    return msgspec.to_builtins(transcript.error)


def _first_token_at(run: Run, usage: dict[str, Any] | None) -> datetime | None:
    """On the wall clock; None if no token came."""
    ttft_ms = usage["ttftMs"] if usage else None
    if ttft_ms is None or run.started_at is None:
        return None
    return run.started_at + timedelta(milliseconds=ttft_ms)
