"""Clients of AG-UI: `POST /api/ag-ui`."""

from collections.abc import AsyncGenerator

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from msgspec.structs import replace

from agents.caller import Caller
from conversations import access
from conversations.models import Run
from conversations.process.services import Services, services_of
from conversations.runs.decide import answer_question, decide_approval
from conversations.runs.positions import check_kept
from conversations.runs.read import read_snapshot
from conversations.transports.cursor import Cursor
from conversations.transports.facade.caller import caller_for, instructed
from conversations.transports.facade.completions import HANDS_OVER
from conversations.transports.facade.continuation import calls_of
from conversations.transports.http import require_credential, visibility_of
from conversations.transports.sse.streams import RunStream, StreamResponse, stream_response
from conversations.transports.sse.views import open_run
from core.database import database_step
from engine.errors import ClawError
from engine.events import Batch
from engine.log.base import Entry
from wire.encoder import Encoding
from wire.encoders.ag_ui import AgUiEvents
from wire.facade.ag_ui import RunAgentInput, parse_run
from wire.native import ChatRequest, Verdict
from wire.selection import Selection


async def run(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`POST /api/ag-ui`: a run, until its end or until it waits for the client. The same request
    again reads the same run from its beginning."""
    require_credential(request)
    asked = parse_run(request.body)
    asked.check()
    caller = await caller_for(request, slug, request.GET.get("agentId"))
    services = services_of(request.scope)
    if asked.resume:
        run, after = await _resumed(services, caller, asked)
        return await _shown(services, caller, asked, run, after)
    known = await database_step(access.run_of_client_message, caller, asked.run_id)
    if known is not None:
        return await _shown(services, caller, asked, known, 0)
    chat = replace(await database_step(_chat_of, caller, asked), on_disconnect="continue")
    caller = instructed(caller, asked.instructions)
    accepted, slots = await open_run(services, caller, chat, foreign=HANDS_OVER)
    stream = AgUiStream(services, caller, accepted.run, _encoding(caller, asked, accepted.run, 0))
    return StreamResponse(stream, services.limits, *slots)


class AgUiEncoding(Encoding, frozen=True, kw_only=True):
    """The encoding of one run of AG-UI."""

    asked: RunAgentInput
    message_id: str
    after: int

    def encoder(self, run_id: str | None = None) -> AgUiEvents:
        """See `Encoding.encoder`."""
        return AgUiEvents(
            self.selection,
            run_id,
            thread_id=self.asked.thread_id,
            name=self.asked.run_id,
            message_id=self.message_id,
            state=self.asked.fields,
            after=self.after,
        )


class AgUiStream(RunStream):
    """A stream that also ends when its run waits for the client."""

    def __init__(
        self, services: Services, caller: Caller, run: Run, encoding: AgUiEncoding
    ) -> None:
        super().__init__(services, run, 0, encoding, caller=caller)
        self._encoder = encoding.encoder(run.pk)
        self._cursor = Cursor(self._encoder, 0)

    def _pass_on(self, cursor: Cursor, batch: Batch) -> bool:
        passed = super()._pass_on(cursor, batch)
        if passed and self._encoder.over:
            self._end()
        return passed

    async def _next(self, batches: AsyncGenerator[list[Entry], None]) -> list[Entry]:
        if self._encoder.over and not self._cursor.behind:
            return []
        return await super()._next(batches)


async def _shown(
    services: Services, caller: Caller, asked: RunAgentInput, run: Run, after: int
) -> HttpResponseBase:
    """A run that has begun, behind position `after`."""
    await check_kept(services.log, run)
    stream = AgUiStream(services, caller, run, _encoding(caller, asked, run, after))
    return await stream_response(services.limits, caller, run.agent_id, stream)


def _encoding(caller: Caller, asked: RunAgentInput, run: Run, after: int) -> AgUiEncoding:
    return AgUiEncoding(
        AgUiEvents,
        Selection(visibility_of(caller)),
        asked=asked,
        message_id=run.message.public_id,
        after=after,
    )


def _chat_of(caller: Caller, asked: RunAgentInput) -> ChatRequest:
    """The request in the native protocol. Raises `invalid_message`, `message_too_large`."""
    try:
        known = calls_of(access.latest_run(caller, asked.thread_id))
    except ClawError:  # there is no such conversation yet, or no answer in it
        known = []
    return asked.chat(known, message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)


async def _resumed(services: Services, caller: Caller, asked: RunAgentInput) -> tuple[Run, int]:
    """The run that waits, with all that was decided, and the position where it has waited. Raises
    what the decisions raise; then the run still waits."""
    caller.principal.require("chat")
    run = await database_step(access.latest_run, caller, asked.thread_id)
    before = (run.foreign or {}).get("resumes", {})
    if asked.run_id in before:
        return run, before[asked.run_id]
    snapshot = await read_snapshot(services.log, run)
    pending = visibility_of(caller).pending(snapshot.pending)
    waiting = [call for call in pending if call.kind != "client_tool"]
    for call, decision in asked.decisions(waiting):
        if isinstance(decision, Verdict):
            await decide_approval(services, caller, run.pk, call.id, decision)
        else:
            await answer_question(services, caller, [run.pk], decision)
    await database_step(access.note_resumed, run, asked.run_id, snapshot.last_seq)
    return run, snapshot.last_seq
