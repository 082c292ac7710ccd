"""A run as a response: its first state, its stream, and how it stands."""

from msgspec.structs import replace

from agents.caller import Caller
from conversations.models import FINAL, Run, RunStatus
from conversations.rendering import render_message
from conversations.runs.positions import is_kept
from conversations.transports.http import visibility_of
from engine.errors import Unavailable
from engine.log.base import Log, LogError, batch_of
from wire.encoder import Encoder, Encoding
from wire.encoders.responses import ResponseEvents
from wire.facade.responses.objects import FunctionTool, Reference, Response, response_id
from wire.facade.responses.output import Output
from wire.selection import Selection


class ResponseEncoding(Encoding, frozen=True, kw_only=True):
    """The encoding of one response, behind the events up to number `known`."""

    response: Response
    known: int = -1

    def encoder(self, run_id: str | None = None) -> Encoder:
        """See `Encoding.encoder`."""
        return ResponseEvents(self.selection, run_id, response=self.response, known=self.known)


def encoding_of(caller: Caller, run: Run, known: int = -1) -> ResponseEncoding:
    """The encoding of a run for this caller."""
    selection = Selection(visibility_of(caller))
    return ResponseEncoding(ResponseEvents, selection, response=begun(run), known=known)


def begun(run: Run) -> Response:
    """The response as it begins."""
    asked = run.foreign or {}
    background = asked.get("background", False)
    return Response(
        id=response_id(run.pk),
        created_at=int(run.created_at.timestamp()),
        status="queued" if background else "in_progress",
        background=background,
        conversation=Reference(run.conversation.public_id),
        instructions=asked.get("instructions"),
        max_output_tokens=asked.get("max_output_tokens"),
        metadata=asked.get("metadata", {}),
        model=run.config["slug"],
        previous_response_id=asked.get("previous_response_id"),
        store=asked.get("store", True),
        tools=[
            FunctionTool(tool["client"], tool["description"], tool["inputSchema"])
            for tool in run.config.get("tools", ())
            if "client" in tool
        ],
    )


async def read_response(log: Log, caller: Caller, run: Run) -> Response:
    """The response as it stands, as the caller may see it: from the run's log or, when that has
    expired, from its row. Raises `unavailable`."""
    output = Output(begun(run))
    list(output.begin())
    if await is_kept(log, run):
        await _follow(log, caller, run, output)
    elif run.status in FINAL:
        message = visibility_of(caller).message(render_message(run.message, run.pk))
        list(output.show(message))
    if run.status == RunStatus.QUEUED and not output.ended:
        return replace(output.response, status="queued")
    return output.so_far


async def _follow(log: Log, caller: Caller, run: Run, output: Output) -> None:
    """Add what the log has by now."""
    selection, after = Selection(visibility_of(caller)), 0
    try:
        while entries := await log.read(run.pk, after):
            after = entries[-1].seq
            for _, type_, data in selection.select(batch_of(entries)):
                list(output.add(type_, data))
    except LogError as error:
        raise Unavailable("The answer cannot be read now, try again soon.") from error
