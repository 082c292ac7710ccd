"""The common part of the views of conversations: the caller, and the name of a message."""

from django.http import HttpRequest
from msgspec.structs import replace

from accounts import idempotency
from agents.caller import Caller
from agents.principal import actor_of
from auditing.actors import act_as
from conversations.process.services import services_of
from conversations.transports import admission
from conversations.transports.identify import address, client_address, credential_of
from engine.errors import ClawError, invalid
from wire.native import ChatRequest
from wire.visibility import Visibility, visible


async def caller_of(request: HttpRequest, slug: str | None, agent_id: str | None = None) -> Caller:
    """Authorise a request. Raises ClawError: see `agents.auth.authorize`, and `rate_limited`."""
    if "token" in request.GET:
        raise ClawError("invalid_token", "Tokens are not accepted in a URL.")
    asked = address(request.scope, request.get_host(), slug, agent_id)
    client = client_address(request.scope)
    credential = credential_of(request)
    limits = services_of(request.scope).limits
    origin = request.headers.get("origin")
    caller = await admission.identify(
        limits, credential, address=asked, origin=origin, client=client
    )
    request.origin_allowed |= caller.readable  # see clawsite.http.cors
    await admission.count_request(limits, caller)
    act_as(actor_of(caller.principal, client))
    return caller


def require_credential(request: HttpRequest) -> None:
    """Before a body is read: raises `auth_required` for a request without a credential."""
    if credential_of(request) is None:
        raise ClawError("auth_required", "Authentication is required.")


def named(request: HttpRequest, chat: ChatRequest) -> ChatRequest:
    """The message with its `Idempotency-Key`, which is a `clientMessageId` in a header: one
    namespace for both. Raises `invalid_message` if they differ."""
    key = idempotency.key_of(request)
    if key is None:
        return chat
    if chat.client_message_id not in (None, key):
        raise invalid("clientMessageId", "The Idempotency-Key names this message differently.")
    return replace(chat, client_message_id=key)


def visibility_of(caller: Caller, *, deltas: bool = False) -> Visibility:
    """The part of a run that the caller may see."""
    agent = caller.agent
    return visible(
        trusted=caller.principal.trusted,
        show_thinking=agent is not None and agent.show_thinking,
        show_tools=agent is not None and agent.show_tools,
        show_usage=agent is not None and agent.show_usage,
        deltas=deltas,
    )
