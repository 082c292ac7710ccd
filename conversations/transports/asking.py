"""Ask an agent and wait for its whole answer."""

import asyncio
from contextlib import aclosing
from typing import Any

from agents.caller import Caller
from conversations.models import FINAL, Run
from conversations.process.services import Services
from conversations.rendering import render_message
from conversations.runs.find import run_joined, stored_run
from conversations.runs.positions import waits_at
from conversations.runs.read import read_message, read_snapshot
from conversations.runs.start import Accepted, start_run
from conversations.transports import admission
from conversations.transports.http import visibility_of
from engine.errors import ClawError
from engine.log.base import Log, LogError, UnknownRun
from engine.transcript import Transcript, fold_all
from wire.native import ChatRequest
from wire.objects.conversations import Message, WaitingRun
from wire.snapshot import message_of

LARGE = 256 * 1024  # bytes of an answer that is not kept while it grows
RECOVERY_MS = 1000  # a client that waits this long may find the answer taken up again


async def ask(
    services: Services, caller: Caller, chat: ChatRequest, foreign: dict[str, Any] | None = None
) -> tuple[Run, Message | WaitingRun]:
    """Start a run, and wait for its answer as the caller may see it, or until it waits for
    somebody. Of a run that was over long ago it is what is stored. `foreign` is kept with the run.

    Raises what `start_run` raises, `too_many_connections`, and `unavailable` for an answer that is
    being recovered."""
    limits = services.limits
    slots = await admission.take_stream(limits, caller, caller.require_agent().id)
    try:
        await admission.count_message(limits, caller)
        return await _answered(services, caller, chat, foreign)
    finally:
        await admission.release(limits, *slots)


async def _answered(
    services: Services, caller: Caller, chat: ChatRequest, foreign: dict[str, Any] | None
) -> tuple[Run, Message | WaitingRun]:
    accepted = await start_run(services, caller, chat, foreign)
    run = accepted.run
    try:
        with services.connections.waiting():
            message = await _message(services, accepted)
            if (other := await run_joined(run)) is not None:
                run, accepted = other, Accepted(other, new=False)
                message = await _message(services, accepted)
            seen = visibility_of(caller)
            if isinstance(message, WaitingRun):
                return run, seen.waiting(message)
            return run, seen.message(message)
    except asyncio.CancelledError:
        if accepted.new and run.on_disconnect == "cancel":
            await services.dispatcher.cancel(run)
        raise


async def _message(services: Services, accepted: Accepted) -> Message | WaitingRun:
    """The assistant's message when the run is done, or the run as soon as it waits."""
    run = accepted.run
    if run.status in FINAL and not accepted.new:  # of a new one the row here has no text
        return render_message(run.message, run.pk)
    transcript: Transcript | None = Transcript()
    try:
        async with aclosing(services.log.follow(run.pk)) as batches:
            async for batch in batches:
                if transcript is not None:
                    fold_all([entry.data for entry in batch], transcript)
                    if transcript.size > LARGE:
                        transcript = None  # each who waits would have a copy: it is read again
                if await waits_at(services.log, run, batch[-1]):
                    return await _waiting(services.log, run)
        if transcript is not None:
            return message_of(transcript, run.message.created_at)
        async with services.large:
            return await read_message(services.log, run)
    except UnknownRun:
        stored = await stored_run(run)
        if stored is None:
            raise ClawError("run_not_found", "The conversation was deleted meanwhile.") from None
        if stored.status in FINAL:  # its log went early: its organisation needed the room
            return render_message(stored.message, stored.pk)
        raise _recovering(run) from None
    except LogError:
        raise _recovering(run) from None


async def _waiting(log: Log, run: Run) -> WaitingRun:
    snapshot = await read_snapshot(log, run)
    return WaitingRun(
        run_id=run.pk,
        conversation_id=snapshot.conversation_id,
        status="waiting",
        pending=snapshot.pending,
    )


def _recovering(run: Run) -> ClawError:
    return ClawError(
        "unavailable",
        "The answer is being recovered.",
        retry_after=RECOVERY_MS,
        details={"runId": run.pk},
    )
