"""Positions in the log of a run: which of its events can still be followed."""

from conversations.models import FINAL, Run
from engine.errors import ClawError, Unavailable, invalid
from engine.events import WAITING, RunWaiting, decode
from engine.log.base import Damaged, Entry, Log, StorageFailed


async def is_kept(log: Log, run: Run) -> bool:
    """Whether the run's events can still be followed."""
    return await _last(log, run) is not None


async def check_kept(log: Log, run: Run) -> None:
    """Raise `history_expired` if the run's events can no longer be followed."""
    if not await is_kept(log, run):
        raise _missing(run)


async def check_position(log: Log, run: Run, after: int) -> bool:
    """Whether the run has ended and has no event after position `after`.

    Raises `history_expired` if the log is gone, `invalid_message` for a position beyond its end,
    `unavailable` while it cannot be read."""
    last = await _last(log, run)
    if last is None:
        raise _missing(run)
    if after > last.seq:
        raise invalid("lastSeq", "The position lies beyond the run's last event.")
    return last.type == "done" and after == last.seq


async def waits_at(log: Log, run: Run, event: Entry) -> bool:
    """Whether the run has begun to wait for somebody with this event, and has not gone on. Raises
    `LogError`."""
    if event.type != WAITING:
        return False
    waiting = decode(event.data)
    if not (isinstance(waiting, RunWaiting) and waiting.pending):
        return False  # for the run of another agent, which goes on by itself
    last = await log.last(run.pk)
    return last is not None and last.seq == event.seq


async def _last(log: Log, run: Run) -> Entry | None:
    """The run's last event; None if its log is gone, or damaged. Raises `unavailable`."""
    try:
        return await log.last(run.pk)
    except Damaged:
        return None
    except StorageFailed as error:
        raise Unavailable("The events cannot be read now, try again soon.") from error


def _missing(run: Run) -> ClawError:
    """The error for a run without a log: it ended long ago, or is not yet recovered."""
    if run.status not in FINAL:
        return Unavailable("The answer is being recovered, try again soon.")
    details = {
        "runId": run.pk,
        "conversationId": run.conversation.public_id,
        "messageId": run.message.public_id,
    }
    return ClawError(
        "history_expired", "The events of this run are no longer kept.", details=details
    )
