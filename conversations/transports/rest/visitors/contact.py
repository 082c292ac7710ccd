"""`/api/contact-messages`: what somebody writes to the people behind an agent."""

from collections.abc import Callable
from functools import partial

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents.caller import Caller
from conversations.process.services import services_of
from conversations.transports import admission
from core.http import read, utc
from engine.errors import ClawError
from webhooks.access import webhooks
from wire.description.openapi import Operation
from wire.objects.contact import ContactMessage, NewContactMessage
from wire.objects.webhooks import CONTACT
from wire.parse import check_text, dumps

_written = msgspec.json.Decoder(NewContactMessage)


async def create(request: HttpRequest, caller: Caller) -> Callable[[], HttpResponse]:
    """`POST /api/contact-messages`: 204; the organisation's webhooks are sent it."""
    caller.principal.require("chat")
    body = read(_written, request)
    for name, text in msgspec.structs.asdict(body).items():
        if text:
            check_text(name, text)
    caller.require_agent()
    await admission.count_contact(services_of(request.scope).limits, caller)
    return partial(_send, caller, body)


def _send(caller: Caller, body: NewContactMessage) -> HttpResponse:
    """Raises `not_found` where no webhook takes messages."""
    now, agent = utc(timezone.now()), caller.require_agent()
    message = ContactMessage(
        type=CONTACT,
        at=now,
        agent_id=agent.id,
        visitor=caller.principal.owner,
        **msgspec.structs.asdict(body),
    )
    sent = {"type": CONTACT, "timestamp": now, "data": message}
    organization_id = caller.principal.organization_id
    if not webhooks.send_to_all(organization_id, CONTACT, dumps(sent).decode()):
        raise ClawError("not_found", "Nobody takes messages here.")
    return HttpResponse(status=204)


OPERATIONS = (
    Operation(
        "POST",
        "contact-messages",
        create,
        name="createContactMessage",
        summary="Write to the people behind an agent; webhooks with `contact:message` are sent it",
        scope="chat",
        body=NewContactMessage,
        answers={204: ()},
        errors=("not_found", "rate_limited"),
    ),
)
