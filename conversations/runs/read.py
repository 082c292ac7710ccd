"""Read a run as it stands: from its log and, when that has expired, from its row."""

from conversations.execution.attempt import read_transcript
from conversations.models import FINAL, Run
from conversations.rendering import render_run, render_snapshot
from engine.errors import Unavailable
from engine.events import Pending
from engine.log.base import Damaged, Log, StorageFailed, UnknownRun
from engine.transcript import Transcript
from wire.frames import Snapshot
from wire.objects import conversations as objects
from wire.snapshot import message_of, snapshot_of


async def read_message(log: Log, run: Run) -> objects.Message:
    """The assistant's message of a run that is done, from its log. Raises `LogError`."""
    folded = await read_transcript(log, run.pk)
    if folded.started is None:
        raise UnknownRun(run.pk)
    return message_of(folded, run.message.created_at)


async def read_snapshot(log: Log, run: Run) -> Snapshot:
    """The run so far, from its log or, when that has expired, from its row. Raises
    `unavailable`."""
    folded = await transcript_of(log, run)
    return snapshot_of(folded, run.message.created_at) if folded else render_snapshot(run)


async def describe_run(log: Log, run: Run) -> objects.Run:
    """A run and, while it runs, its text so far. Raises `unavailable`."""
    return render_run(run, await transcript_of(log, run) if run.status not in FINAL else None)


async def question_of(log: Log, run: Run) -> Pending | None:
    """The first question of the run that waits for its answer; None if none does. Raises
    `unavailable`."""
    folded = await transcript_of(log, run)
    questions = (call for call in (folded.pending if folded else ()) if call.kind == "question")
    return next(questions, None)


async def transcript_of(log: Log, run: Run) -> Transcript | None:
    """The fold of the run's log; None if the log is no longer kept, or damaged. Raises
    `unavailable`."""
    try:
        folded = await read_transcript(log, run.pk)
    except Damaged:
        return None
    except StorageFailed as error:
        raise Unavailable("The events cannot be read now, try again soon.") from error
    return folded if folded.started is not None else None
