"""OpenAI Chat Completions: `POST /v1/chat/completions`."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from msgspec.structs import replace

from agents.caller import Caller
from conversations.models import Run
from conversations.process.services import services_of
from conversations.transports.asking import ask
from conversations.transports.facade.caller import caller_for, instructed, limited
from conversations.transports.facade.uploads import with_files
from conversations.transports.http import named, require_credential, visibility_of
from conversations.transports.sse.views import open_run, streamed
from core.http import Answer
from engine.errors import RunFailed
from wire.encoder import Encoder, Encoding
from wire.encoders.completions import CompletionChunks
from wire.facade.completions import ChatCompletion, parse_completion
from wire.facade.openai import stopped, waiting
from wire.objects.conversations import Message, WaitingRun
from wire.selection import Selection

HANDS_OVER = {"hands_over": True}
"""A call of the client's tools ends the answer."""


async def complete(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """The answer to `messages`, in a new conversation: whole, or as a stream of chunks."""
    require_credential(request)
    asked = parse_completion(request.body)
    caller = await caller_for(request, slug, asked.model)
    caller = limited(instructed(caller, asked.instructions), asked.limit)
    foreign = asked.chat(message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)
    chat = named(request, await with_files(caller, foreign, len(request.body)))
    chat = replace(chat, on_disconnect=CompletionChunks.on_disconnect)
    services = services_of(request.scope)
    if asked.stream:
        accepted, slots = await open_run(services, caller, chat, foreign=HANDS_OVER)
        encoding = _encoding(caller, accepted.run, with_usage=asked.include_usage)
        return streamed(services, caller, accepted, encoding, slots)
    return Answer(_whole(caller, *await ask(services, caller, chat, HANDS_OVER)))


class CompletionEncoding(Encoding, frozen=True):
    """The encoding of one run's answer."""

    model: str = ""
    created: int = 0
    with_usage: bool = False

    def encoder(self, run_id: str | None = None) -> Encoder:
        """See `Encoding.encoder`."""
        return CompletionChunks(
            self.selection,
            run_id,
            model=self.model,
            created=self.created,
            with_usage=self.with_usage,
        )


def _encoding(caller: Caller, run: Run, *, with_usage: bool) -> Encoding:
    return CompletionEncoding(
        CompletionChunks,
        Selection(visibility_of(caller)),
        model=caller.require_agent().slug,
        created=int(run.created_at.timestamp()),
        with_usage=with_usage,
    )


def _whole(caller: Caller, run: Run, message: Message | WaitingRun) -> ChatCompletion:
    """The answer of a run that is complete. Raises the error of any other."""
    if isinstance(message, WaitingRun):
        raise waiting(run.pk)
    if error := message.error:
        raise RunFailed(error.code, error.message, retry_after=error.retry_after)
    if message.status == "cancelled":
        raise stopped()
    created = int(run.created_at.timestamp())
    return ChatCompletion.of(run.pk, created, caller.require_agent().slug, message)
