"""Writes finished runs into the database, those that finish together in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from accounts.batching import Batcher
from accounts.database import database_step
from conversations import access
from conversations.execution.job import Enqueue, no_queue
from conversations.models import Message, Run, may_become
from conversations.statements import places, read_rows, update_rows
from engine.log.base import Fenced
from engine.transcript import Transcript

GROUP = 50  # runs in one transaction: bounds how long it holds SQLite's write lock
GROUP_BYTES = 1024 * 1024  # text in one transaction: the same, and the memory for its statement

RUN_FIELDS = ["status", "usage", "cost", "error", "last_seq", "first_token_at", "finished_at"]
MESSAGE_FIELDS = [
    "content",
    "status",
    "thinking",
    "tools",
    "steps",
    "usage",
    "stop_reason",
    "error",
]

HELD = "SELECT id, attempt, status FROM conversations_run WHERE id IN ({keys})"
TOUCH = "UPDATE conversations_conversation SET last_message_at = %s WHERE id IN ({keys})"
WAITING = """
SELECT conversation_id, id FROM conversations_run
 WHERE conversation_id IN ({keys}) AND status = 'queued' ORDER BY user_message_id DESC
"""


@dataclass(frozen=True)
class Final:
    """A run with its outcome. `attempt` must still hold it, or the commit is `Fenced`: a number of
    its own, since a claim of the same moment counts up that of `run`."""

    run: Run
    attempt: int
    transcript: Transcript
    first_token_at: datetime | None


class Recorder:
    """`enqueue` is called in the transaction for the runs that may begin because others ended."""

    def __init__(self, enqueue: Enqueue = no_queue) -> None:
        self._batcher: Batcher[Final, Run | None] = Batcher(
            lambda finals: database_step(write, finals, enqueue), _group_size
        )

    async def commit(self, final: Final) -> Run | None:
        """Store the outcome; returns the conversation's next queued run, if there is one.

        Raises `Fenced` if a later attempt holds the run, `Unavailable` without a database, and
        whatever the database has against this row."""
        return await self._batcher.do(final)

    async def aclose(self) -> None:
        """Wait until everything that was given is written."""
        await self._batcher.aclose()


def _group_size(finals: list[Final]) -> int:
    """How many of `finals` go into the next transaction, at least one."""
    size = 0
    for count, final in enumerate(finals[:GROUP], 1):
        size += final.transcript.text.size
        if size >= GROUP_BYTES:
            return count
    return min(GROUP, len(finals))


def write(finals: list[Final], enqueue: Enqueue = no_queue) -> list[Run | Exception | None]:
    """One transaction for all of them; for each its next run, or `Fenced`. Synchronous."""
    with transaction.atomic():
        rows = read_rows(HELD, [final.run.pk for final in finals], lock=True)
        found = {pk: held for pk, *held in rows}
        # One for each run, the first: two may have ended the same waiting run at once.
        valid = {f.run.pk: f for f in reversed(finals) if _holds(f, *found.get(f.run.pk, (0, "")))}
        update_rows([_run_row(f) for f in valid.values()], RUN_FIELDS)
        update_rows([_message_row(f) for f in valid.values()], MESSAGE_FIELDS)
        conversations = list({f.run.conversation_id for f in valid.values()})
        _touch(conversations)
        following = _next_runs(conversations)
        enqueue(list(following.values()))
    return [
        following.get(f.run.conversation_id) if valid.get(f.run.pk) is f else Fenced(f.run.pk)
        for f in finals
    ]


def _holds(final: Final, attempt: int, status: str) -> bool:
    """Whether the run, as it is, may end so."""
    return attempt == final.attempt and status in may_become(final.transcript.status)


def _touch(conversations: list[str]) -> None:
    """Not by `update_rows`: a join takes the rows in any order, and two processes with the same
    conversations would wait for each other."""
    if conversations:
        statement = TOUCH.format(keys=places(len(conversations)))
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(statement, [now, *conversations])


def _next_runs(conversations: list[str]) -> dict[str, Run]:
    following = dict(read_rows(WAITING, conversations))  # the oldest of each comes last and stays
    rows = access.runs_by_id(list(following.values()))
    return {run.conversation_id: run for run in rows if run is not None}


def _run_row(final: Final) -> Run:
    run, transcript = final.run, final.transcript
    usage = _usage(transcript)
    run.status = transcript.status
    run.usage, run.error = usage, transcript.error()
    run.cost = None if usage is None or usage["cost"] is None else Decimal(str(usage["cost"]))
    run.last_seq = transcript.last_seq + (transcript.done is None)  # `done` follows this commit
    run.first_token_at, run.finished_at = final.first_token_at, timezone.now()
    return run


def _message_row(final: Final) -> Message:
    """A row of its own: watchers keep `final.run` as long as they read, and its message with it,
    which must not become as large as the answer."""
    transcript = final.transcript
    return Message(
        pk=final.run.message_id,
        content=transcript.outcome.content if transcript.outcome else str(transcript.text),
        status=transcript.status,
        thinking=str(transcript.thinking),
        tools=transcript.tools,
        steps=[step.blocks for step in transcript.steps if step.blocks],
        usage=_usage(transcript),
        error=transcript.error(),
        stop_reason=transcript.stop_reason,
    )


def _usage(transcript: Transcript) -> dict[str, Any] | None:
    return msgspec.to_builtins(transcript.outcome.usage) if transcript.outcome else None


def token_time(run: Run, ttft_ms: int | None) -> datetime | None:
    """When the first token came, on the wall clock."""
    if ttft_ms is None or run.started_at is None:
        return None
    return run.started_at + timedelta(milliseconds=ttft_ms)
