"""What the views of conversations share: who asks, and under which name."""

from django.http import HttpRequest
from msgspec.structs import replace

from accounts import idempotency
from agents.caller import Caller
from conversations.limits import doors
from conversations.transports.identify import address, bearer_token, client_address
from engine.errors import ClawError, invalid
from engine.visibility import Visibility, visible
from wire.native import ChatRequest


async def caller_of(request: HttpRequest, slug: str | None, agent_id: str | None = None) -> Caller:
    """Authorise a request. Raises ClawError: see `agents.authorize`, and `rate_limited`."""
    if "token" in request.GET:
        raise ClawError("invalid_token", "Tokens are not accepted in a URL.")
    caller = await doors.identify(
        bearer_token({"authorization": request.headers.get("authorization", "")}),
        address=address(request.scope, request.get_host(), slug, agent_id),
        origin=request.headers.get("origin"),
        client=client_address(request.scope),
    )
    request.origin_allowed |= caller.origin_allowed  # see clawsite.cors
    await doors.count_request(caller)
    return caller


def require_token(request: HttpRequest) -> None:
    """Before a body is read: raises `auth_required` for a request without a token."""
    if bearer_token({"authorization": request.headers.get("authorization", "")}) is None:
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
    """What the caller may see of a run."""
    agent = caller.agent
    return visible(
        trusted=caller.trusted,
        show_thinking=agent is not None and agent.show_thinking,
        show_tools=agent is not None and agent.show_tools,
        deltas=deltas,
    )
