"""A request's own words: its token, the agent that it means, and where it comes from."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest

from agents.auth.authorize import Credential
from agents.auth.members import Session
from agents.auth.signing import is_signed
from agents.caller import Address
from agents.public.addresses import host_slug
from core.networks import ip_of
from engine.errors import ClawError

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header (RFC 6750), after any space or tab."""
    scheme, token, *_ = *headers.get("authorization", "").split(maxsplit=1), "", ""
    return token.strip() or None if scheme.lower() == "bearer" else None


def credential_of(request: HttpRequest) -> Credential | None:
    """The request's token, else its session. A session is good on the console's host only: the
    pages on an agent's host are somebody else's."""
    token = bearer_token({"authorization": request.headers.get("authorization", "")})
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if token is not None or not key or host_slug(request.get_host()) is not None:
        return token
    return Session(
        key=key,
        organization=request.headers.get("x-claw-organization"),
        safe=request.method in SAFE_METHODS,
        fetch_site=request.headers.get("sec-fetch-site"),
    )


def socket_token(scope: Mapping[str, Any]) -> str | None:
    """The token of a WebSocket's upgrade request, in its header or in `?token=`: a browser can set
    no header, and a visitor's token is soon over.

    Raises `invalid_token` for an API key in the address: it would be in logs and histories."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
    if any(not is_signed(token) for token in given) or len(given) > 1:
        raise ClawError("invalid_token", "API keys are not accepted in a URL.")
    return bearer_token(asgi_headers(scope)) or (given[0] if given else None)


def socket_ticket(scope: Mapping[str, Any]) -> str | None:
    """The `?ticket=` of a WebSocket's upgrade request."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("ticket")
    return given[0] if given else None


def is_stranger(scope: Mapping[str, Any]) -> bool:
    """Whether a WebSocket's upgrade request brings nothing that could say who asks."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return not ("token" in query or "ticket" in query or bearer_token(asgi_headers(scope)))


def address(
    scope: Mapping[str, Any], host: str, path_slug: str | None, agent_id: str | None = None
) -> Address:
    """Everything in a request to `host` that names its agent, and what that host's origin is."""
    secure = settings.CLAW_HTTPS or scope.get("scheme") in ("https", "wss")
    return Address(
        host_slug=host_slug(host),
        path_slug=path_slug,
        agent_id=agent_id,
        site=f"{'https' if secure else 'http'}://{host.lower()}",
        same_origin=asgi_headers(scope).get("sec-fetch-site") == "same-origin",
    )


def client_address(scope: Mapping[str, Any]) -> str:
    """The address of a client: its peer or, behind `CLAW_TRUSTED_PROXIES`, the last address in
    `X-Forwarded-For` that is not one of those proxies. No other proxy is believed."""
    peer = str((scope.get("client") or ["unknown"])[0])
    said = [value for name, value in scope.get("headers", []) if name.lower() == b"x-forwarded-for"]
    hops = [hop.strip() for hop in b",".join(said).decode("latin-1").split(",")]
    while hops and _trusted(peer):
        peer = hops.pop() or peer
    return str(ip_of(peer) or peer)


def address_of(request: HttpRequest) -> str:
    """`client_address` of a request of Django's."""
    forwarded = request.headers.get("x-forwarded-for", "").encode("latin-1", "replace")
    headers = [(b"x-forwarded-for", forwarded)] if forwarded else []
    return client_address({"client": [request.META.get("REMOTE_ADDR")], "headers": headers})


def forwarding(scope: Mapping[str, Any]) -> str:
    """The fate of `X-Forwarded-For`: `none` came, it is `believed`, or it is `ignored`."""
    if "x-forwarded-for" not in asgi_headers(scope):
        return "none"
    return "believed" if _trusted((scope.get("client") or ["unknown"])[0]) else "ignored"


def as_visited(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The scope with the scheme that the visitor used: one of `CLAW_TRUSTED_PROXIES` may say, with
    `X-Forwarded-Proto`, that it was reached over TLS."""
    said = asgi_headers(scope).get("x-forwarded-proto", "").strip().lower()
    if said != "https" or not _trusted((scope.get("client") or ["unknown"])[0]):
        return scope
    return {**scope, "scheme": "wss" if scope["type"] == "websocket" else "https"}


def _trusted(name: str) -> bool:
    found = ip_of(name)
    return found is not None and any(found in net for net in settings.CLAW_TRUSTED_PROXIES)


def asgi_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an ASGI scope, names in lower case."""
    raw = scope.get("headers", [])
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
