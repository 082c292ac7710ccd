"""A run event by event, with the time of each, and what its model was sent."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from heapq import nlargest

import msgspec

from conversations.execution.setup.prompt import read_messages, request_of
from conversations.models import Run
from core.database import database_step
from engine import events as ev
from engine.continuation import unfinished_request
from engine.errors import ClawError, Unavailable
from engine.log.base import HistoryLost, Log, LogError, UnknownRun
from engine.request import ModelRequest
from engine.transcript import Transcript, fold
from wire.objects.replay import Gap, Replay, ReplayedCall, ReplayedEvent

MAX_EVENTS = 1000
"""Of one page: about 200 KiB."""
MAX_GAPS = 10
MERGED = {"token", "thinking"}


async def replay(log: Log, run: Run, after: int) -> Replay:
    """A page of the run's events after a position. Raises `history_expired` if the log is no longer
    kept, `unavailable`."""
    lines = [line async for line in _lines(log, run.pk)]
    times = _times(run, lines)
    calls = [event for event in lines if isinstance(event, ev.UsageReported)]
    shown: list[ReplayedEvent] = []
    before = next((times[event.seq] for event in reversed(lines) if event.seq <= after), None)
    more = False
    for event in lines:
        if event.seq <= after or event.internal:
            continue
        at = times[event.seq]
        last = shown[-1] if shown else None
        if last and last.type == event.type and event.type in MERGED and last.at == at:
            shown[-1] = _joined(last, event)
            continue
        if more := len(shown) == MAX_EVENTS:
            break
        gap = round((at - before) / timedelta(milliseconds=1)) if at and before else None
        fields = msgspec.to_builtins(event)
        shown.append(ReplayedEvent(seq=event.seq, type=event.type, at=at, gap_ms=gap, event=fields))
        before = at or before
    waits = [Gap(seq=each.seq, gap_ms=each.gap_ms) for each in shown if each.gap_ms]
    return Replay(
        run_id=run.pk,
        events=shown,
        calls=[
            ReplayedCall(number=number, seq=usage.seq, usage=usage)
            for number, usage in enumerate(calls, 1)
        ],
        longest_gaps=nlargest(MAX_GAPS, waits, key=lambda gap: gap.gap_ms),
        next_cursor=_last(shown[-1]) if more else None,
    )


async def sent_request(log: Log, run: Run, number: int) -> ModelRequest:
    """What the model was sent in its call of this number, from 1. Raises `run_not_found` for a call
    that was not made, and what `replay` raises."""
    transcript = Transcript()
    async for event in _lines(log, run.pk):
        if isinstance(event, ev.UsageReported) and len(transcript.reports) == number - 1:
            (messages,) = await database_step(read_messages, [run])
            first = request_of(run, messages, [], transcript.retrieved or [])
            return unfinished_request(first, transcript)
        fold(transcript, event)
    raise ClawError("run_not_found", "The run has made no such call of its model.")


async def _lines(log: Log, run_id: str) -> AsyncIterator[ev.AnyEvent]:
    """All events of a log that this version knows."""
    position = 0
    try:
        while batch := await log.read(run_id, position):
            for entry in batch:
                if entry.type in ev.TYPES:
                    yield ev.decode(entry.data)
            position = batch[-1].seq
            await asyncio.sleep(0)  # a long log must not hold up everybody else
    except (UnknownRun, HistoryLost):
        position = 0
    except LogError as error:
        raise Unavailable("The events cannot be read now, try again soon.") from error
    if not position:
        raise ClawError("history_expired", "The events of this run are no longer kept.")


def _times(run: Run, lines: list[ev.AnyEvent]) -> dict[int, datetime | None]:
    """The time of each event by its seq. The first one came as the run was accepted, the last one
    when it was stored; those between are in the timelines of its attempts. Nobody has noted those
    of an attempt that has not ended."""
    times: dict[int, datetime | None] = {event.seq: None for event in lines}
    open_: list[int] = []
    before: ev.AnyEvent | None = None
    for event in lines:
        if isinstance(before, ev.Timeline):  # they were written together
            times[event.seq] = _moment(before, before.ms[-1])
        else:
            open_.append(event.seq)
        if isinstance(event, ev.Timeline):
            noted = [seq for seq in open_ if seq > event.seqs[0]]
            times |= {seq: _moment(event, event.ms[bisect_left(event.seqs, seq)]) for seq in noted}
            open_ = []
        before = event
    times[lines[0].seq] = run.created_at
    if run.finished_at is not None:
        times[run.last_seq] = run.finished_at
    return times


def _moment(line: ev.Timeline, ms: int) -> datetime:
    return line.began_at + timedelta(milliseconds=ms)


def _joined(first: ReplayedEvent, event: ev.AnyEvent) -> ReplayedEvent:
    content = first.event["content"] + getattr(event, "content", "")
    count = (first.count or 1) + 1
    return msgspec.structs.replace(first, count=count, event=first.event | {"content": content})


def _last(shown: ReplayedEvent) -> int:
    """The seq of the last event that is in this one."""
    return shown.seq + (shown.count or 1) - 1
