"""The doors to runs: start, cancel, follow. Every transport goes through these."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.database import database_step
from agents import credentials
from agents.caller import Caller
from conversations import access, wiring
from conversations.acceptance import Accepted, Asked
from conversations.activity import Arrivals
from conversations.execution.job import stamp, started_event
from conversations.execution.runner import read_transcript
from conversations.history import message_object
from conversations.models import FINAL, Conversation, Run, RunStatus
from engine.errors import ClawError, Unavailable, invalid
from engine.events import LAST
from engine.log.base import Damaged, Entry, Fenced, LogError, Sink, StorageFailed
from engine.transcript import Transcript
from wire.native import ChatRequest

BEGIN_SECONDS = 5.0  # what an asker waits for a worker that was faster, and has not said so yet
END_SECONDS = 5.0  # what an erasure waits for the answers that it has stopped


async def start(caller: Caller, request: ChatRequest) -> Accepted:
    """Accept a message and have it answered. The message is committed when this returns, and the
    run's first event is in its log.

    Raises ClawError: `forbidden`, `invalid_message`, `conversation_busy`, `budget_exceeded`,
    `idempotency_conflict`, `unavailable`, or why the agent's model cannot be used. A message that
    was answered long ago gives its run, whose events may be gone: see `check_kept`."""
    caller.require("chat")
    if request.messages is not None and not caller.trusted:
        raise ClawError("forbidden", "A history of one's own is for API keys only.")
    services = wiring.services()
    agent = caller.require_agent()
    if not services.dispatcher.room(agent.organization_id):
        raise Unavailable("The server is full or about to restart, try again soon.")
    model = await credentials.provider_access(agent)
    agent = replace(agent, provider=model.provider, model=model.model)
    accepted = await services.acceptance.accept(Asked(caller, agent, request))
    if accepted.new or not (accepted.run.status in FINAL or await kept(accepted.run)):
        await _begin_log(accepted)
        await _cancel_all(accepted.interrupts)
        services.dispatcher.submit(accepted.run)
        await services.activity.announce(accepted.run.conversation_id)
    return accepted


async def _begin_log(accepted: Accepted) -> None:
    """Write the first event: of a new run, or of one whose process died before it. Unless the run
    has been claimed since the commit (the run before it ended in that moment): then whoever
    carries it out writes it."""
    try:
        writer = wiring.services().log.writer(stamp(accepted.run), 0)
        if writer.seq == 0:
            writer.append(started_event(accepted.run, accepted.place))
        await writer.flush()
    except Fenced:
        await _begun(accepted.run)
    except LogError as error:  # the message is stored, and whoever carries it out begins its log
        raise Unavailable("The answer cannot be shown yet, try again soon.") from error


async def _begun(run: Run) -> None:
    """Return when whoever has claimed the run has written its first event, or is late."""
    with suppress(TimeoutError, LogError):
        async with asyncio.timeout(BEGIN_SECONDS), aclosing(follow(run.pk)) as batches:
            await anext(batches, None)


async def find(caller: Caller, run_id: str) -> Run:
    """One of the caller's runs. Raises `run_not_found`."""
    caller.require("chat")
    return await database_step(access.run, caller, run_id)


async def latest(caller: Caller, conversation_id: str) -> Run:
    """A conversation's active run, else its latest. Raises `conversation_not_found`,
    `run_not_found`."""
    caller.require("chat")
    return await database_step(access.latest_run, caller, conversation_id)


async def cancel_conversation(caller: Caller, conversation_id: str) -> list[str]:
    """Stop everything in a conversation; returns the runs that were told. Raises
    `conversation_not_found`."""
    caller.require("chat")
    conversation = await database_step(access.conversation, caller, conversation_id)
    return await _cancel_all(await database_step(access.unfinished_runs, conversation))


async def cancel_organization(caller: Caller) -> list[str]:
    """Stop everything that the caller's organisation has running. Raises `forbidden` without the
    scope `admin`."""
    return await _cancel_all(await database_step(access.unfinished_of_organization, caller))


async def _cancel_all(rows: Iterable[Run]) -> list[str]:
    """Those that wait first: none of them shall begin because the one before it ends."""
    for run in sorted(rows, key=lambda run: run.status != RunStatus.QUEUED):
        await cancel(run)
    return [run.pk for run in rows]


async def conversation(caller: Caller, conversation_id: str) -> Conversation:
    """One of the caller's conversations. Raises `conversation_not_found`."""
    return await database_step(access.conversation, caller, conversation_id)


async def arrivals(caller: Caller, conversation_id: str) -> Arrivals:
    """The runs of a conversation as they come: the active one first, then what begins from now on.

    Raises `conversation_not_found`, `forbidden`."""
    caller.require("conversations:read")
    found, active, position = await database_step(access.present, caller, conversation_id)
    return Arrivals(wiring.services().activity, found, position, active, begun=kept)


async def cancel(run: Run, error: ClawError | None = None) -> None:
    """Stop a run, from wherever it was started: as cancelled, or as failed with `error`.

    Harmless on a run that has ended, and twice. Returns when the run has been told, not when it
    has ended: that is an event."""
    await wiring.services().dispatcher.cancel(run, error)


def follow(
    run_id: str, after: int = 0, sink: Sink | None = None
) -> AsyncGenerator[list[Entry], None]:
    """The run's events after a position, in lists of what is there, ending after `done`; `sink`
    may be handed them one by one as they are stored.

    Raises what `engine.log.base.Log.follow` raises."""
    return wiring.services().log.follow(run_id, after, sink)


async def check_position(run: Run, after: int) -> bool:
    """Whether a run that has ended has nothing after `after`.

    Raises `history_expired` if the log is gone, `invalid_message` for a position beyond its end,
    `unavailable` while it cannot be read."""
    last = await _last(run)
    if last is None:
        raise _missing(run)
    if after > last.seq:
        raise invalid("lastSeq", "The position lies beyond the run's last event.")
    return last.type == "done" and after == last.seq


async def kept(run: Run) -> bool:
    """Whether the run's events can still be followed."""
    return await _last(run) is not None


async def _last(run: Run) -> Entry | None:
    """The run's last event; None if its log is gone, or damaged. Raises `unavailable`."""
    try:
        return await wiring.services().log.last(run.pk)
    except Damaged:
        return None
    except StorageFailed as error:
        raise Unavailable("The events cannot be read now, try again soon.") from error


async def check_kept(run: Run) -> None:
    """Raises `history_expired` if the run's events can no longer be followed."""
    if not await kept(run):
        raise _missing(run)


def _missing(run: Run) -> ClawError:
    """Why a run has no log: it is over for long, or recovery has not come to it yet."""
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


async def transcript(run: Run) -> Transcript | None:
    """The fold of the run's log; None if the log is no longer kept, or damaged. Raises
    `unavailable`."""
    try:
        folded = await read_transcript(wiring.services().log, run.pk)
    except Damaged:
        return None
    except StorageFailed as error:
        raise Unavailable("The events cannot be read now, try again soon.") from error
    return folded if folded.started is not None else None


async def snapshot(run: Run) -> dict[str, Any]:
    """The `snapshot` frame: the run so far, from its log or, when that has expired, its row."""
    folded = await transcript(run)
    if folded is not None:
        frame = folded.snapshot()
        frame["message"]["createdAt"] = run.message.created_at.isoformat()
        return frame
    return {
        "type": "snapshot",
        "runId": run.pk,
        "conversationId": run.conversation.public_id,
        "messageId": run.message.public_id,
        "lastSeq": run.last_seq,
        "status": run.message.status,
        "nextIndex": 0,
        "pending": [],
        "message": message_object(run.message, run.pk),
    }


def max_message_bytes() -> int:
    """Largest `message`, in bytes of the frame or body that carries it."""
    return int(settings.CLAW_MAX_MESSAGE_BYTES)


async def describe(run: Run) -> dict[str, Any]:
    """A run as `GET /api/runs/{id}` shows it; while it runs, with the text so far."""
    folded = await transcript(run) if run.status not in FINAL else None
    content = str(folded.text) if folded else run.message.content
    times = ("created_at", "started_at", "first_token_at", "finished_at")
    stamps = {name: getattr(run, name) for name in times}
    return {
        "id": run.pk,
        "status": run.status,
        "agentId": run.agent_id,
        "conversationId": run.conversation.public_id,
        "messageId": run.message.public_id,
        "provider": run.provider,
        "model": run.model,
        "content": content,
        "usage": run.usage,
        "error": run.error,
        "lastSeq": folded.last_seq if folded else run.last_seq,
        "createdAt": _iso(stamps["created_at"]),
        "startedAt": _iso(stamps["started_at"]),
        "firstTokenAt": _iso(stamps["first_token_at"]),
        "finishedAt": _iso(stamps["finished_at"]),
    }


async def erase(conversation: Conversation) -> None:
    """Delete a conversation with its messages, runs and logs; what still runs is stopped first, so
    that whoever watches it sees its end."""
    await stop(await database_step(access.unfinished_runs, conversation))
    rows = await database_step(access.runs_of, conversation)
    await database_step(conversation.delete)
    await wiring.services().activity.announce(conversation.pk)
    await forget(rows)


async def stop(running: list[Run]) -> None:
    """Stop runs that are about to be deleted, and wait until their watchers may see their end."""
    await _cancel_all(running)
    with suppress(TimeoutError):  # nobody carries it out, or its worker hangs: it goes all the same
        async with asyncio.timeout(END_SECONDS):
            for run in running:
                await _ended(run)


async def _ended(run: Run) -> None:
    """Return when the run's `done` is in its log, or can no longer come."""
    with suppress(LogError):
        last = await wiring.services().log.last(run.pk)
        if last is not None and last.type != LAST:
            async with aclosing(follow(run.pk, last.seq)) as batches:
                async for _ in batches:
                    pass


async def as_stored(run: Run) -> Run | None:
    """The run as the database has it now; None if it has been deleted. Raises `unavailable`."""
    (stored,) = await database_step(access.runs_by_id, [run.pk])
    return stored


async def forget(rows: Iterable[Run]) -> None:
    """Stop runs whose rows are deleted already, and erase their logs."""
    for run in rows:
        if run.status not in FINAL:
            await cancel(run)
        await wiring.services().log.erase(run.pk)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
