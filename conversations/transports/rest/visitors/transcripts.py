"""`/api/conversations/{id}/transcript`: a conversation by mail, to whom its reader names."""

import asyncio

import msgspec
from django.http import HttpRequest, HttpResponse

from accounts import mail
from agents.caller import Caller
from conversations import access
from conversations.history.export import MarkdownExport
from conversations.history.page import read_messages
from conversations.process.services import services_of
from conversations.transports import admission
from conversations.transports.http import visibility_of
from conversations.transports.rest.parameters import AGENT
from core.database import database_step
from core.http import MAX_LIMIT, Page, read
from engine.errors import ClawError
from wire.description.openapi import Operation
from wire.objects.contact import TranscriptMail

MAX_TO_ONE = 5
"""Transcripts that one address is sent in an hour, of all conversations of the installation."""
TEXT = """Somebody asked for this conversation to be sent to this address. If that was not you, you
can ignore this mail: nobody else got your address from it.

{transcript}"""

_asked = msgspec.json.Decoder(TranscriptMail)


async def create(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`POST /api/conversations/{id}/transcript`: 204 when the mail server has it."""
    caller.principal.require("conversations:read")
    email = read(_asked, request).email
    name, transcript = await database_step(_written, request, caller, conversation_id)
    await admission.count_transcript(services_of(request.scope).limits, caller)
    subject = " ".join(f"Your conversation with {name}".split())
    # A thread of its own: a mail server may take half a minute.
    await asyncio.to_thread(_send, email, subject, TEXT.format(transcript=transcript))
    return HttpResponse(status=204)


def _written(request: HttpRequest, caller: Caller, conversation_id: str) -> tuple[str, str]:
    """The agent's name, and the newest messages as a text. Raises `conversation_not_found`, and
    `forbidden` for a visitor of an agent that sends none."""
    conversation = access.conversation(caller, conversation_id)
    agent = conversation.agent
    if not caller.principal.trusted and agent.widget.get("transcriptEmail") is not True:
        raise ClawError("forbidden", "This agent sends no conversations by mail.")
    export = MarkdownExport()
    page = read_messages(caller, conversation_id, Page(limit=MAX_LIMIT), visibility_of(caller))
    return agent.name, export.begin(conversation) + export.add(page.messages)


def _send(email: str, subject: str, text: str) -> None:
    mail.count(f"transcript:{email.casefold()}", at_most=MAX_TO_ONE)
    mail.send(email, subject, text)


OPERATIONS = (
    Operation(
        "POST",
        "conversations/<conversation_id>/transcript",
        create,
        name="mailTranscript",
        summary="Send the newest messages of a conversation by mail",
        scope="conversations:read",
        body=TranscriptMail,
        parameters=(AGENT,),
        answers={204: ()},
        errors=("conversation_not_found", "rate_limited", "unavailable"),
    ),
)
