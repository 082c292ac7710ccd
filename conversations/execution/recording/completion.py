"""Completes logs whose run has ended in the database, and erases logs that nobody needs."""

from datetime import timedelta

from django.utils import timezone

from conversations import access
from conversations.execution.attempt import read_transcript
from conversations.execution.opening import stamp
from conversations.execution.recording import outcome
from conversations.execution.recording.joining import joined_run
from conversations.execution.recording.outcome import Timing
from conversations.models import FINAL, Run
from core.database import database_step
from engine import events as ev
from engine.errors import ClawError
from engine.log.base import Log
from engine.log.file import FileLog
from engine.transcript import Transcript, fold

AT_ONCE = 200  # runs looked up in one step


async def complete_logs(log_: Log, run_ids: list[str], settled: float = 0.0) -> None:
    """Write the `done` of runs that are final in the database but not in their log, because the
    process died between the commit and `done`. Erase logs whose run is gone, and logs that a power
    cut has left behind the database: nobody can continue from them.

    Runs that became final less than `settled` seconds ago are left to the process that ended
    them."""
    rows = await database_step(access.runs_by_id, run_ids)
    recent = timezone.now() - timedelta(seconds=settled)
    for run_id, run in zip(run_ids, rows, strict=True):
        if run is None:
            await log_.erase(run_id)
        elif run.status in FINAL and (run.finished_at or recent) <= recent:
            transcript = await read_transcript(log_, run_id)
            if transcript.done is not None:
                continue
            if transcript.outcome is None and run.started_at is not None:
                await log_.erase(run_id)
                continue
            writer = log_.writer(stamp(run), run.attempt + 1)
            await writer.flush()
            if transcript.outcome is None:  # withdrawn while it waited
                joined = await database_step(joined_run, run)
                fold(transcript, end := _end_of_row(run, transcript, joined))
                writer.append(end)
            writer.append(outcome.done(transcript))
            await writer.flush()


async def assign_logs(log_: FileLog) -> None:
    """Tell `log_` the owners of the ended runs that it found on its disk; erase those of nobody."""
    found = log_.without_owner()
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        owners = await database_step(access.owners_of, some)
        log_.assign({run_id: owners[run_id] for run_id in some if run_id in owners})
        for run_id in some:
            if run_id not in owners:  # it has been deleted
                await log_.erase(run_id)


def _end_of_row(run: Run, transcript: Transcript, joined: str | None) -> ev.Outcome:
    if joined is not None:
        return outcome.joined(joined, transcript, Timing())
    if run.error is None:
        return outcome.cancelled(transcript, Timing())
    error = ClawError(run.error["code"], run.error["message"])
    return outcome.failed(error, transcript, Timing())
