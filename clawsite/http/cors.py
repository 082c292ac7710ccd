"""Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol).

Preflights are answered for any origin, without credentials: they say nothing about anybody. An
answer, also an error, is for an origin only if the agent allows it that the address names or the
token is for, or the key does; nobody gets `*`. Only that it gets no session may any page read."""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from agents.auth import visitors
from conversations.transports.identify import address

METHODS = "GET, POST, PUT, PATCH, DELETE"
PATH_FORM = re.compile(r"/a/([^/]+)/")
API = re.compile(
    r"/(?:a/[^/]+/)?(?:(?:api|v1)/|mcp/?$)"
)  # nothing else is for pages of other origins
# A name of its own for each that a session's request may have, then whatever a library adds.
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, *"
EXPOSED = "ETag, Retry-After, X-Request-ID"
MAX_AGE = "600"


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks before it asks."""
    return (
        request.method == "OPTIONS"
        and API.match(request.path) is not None
        and "origin" in request.headers
        and "access-control-request-method" in request.headers
    )


def preflight(request: HttpRequest) -> HttpResponse:
    """The answer to a preflight."""
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Origin"] = request.headers["origin"]
    response["Access-Control-Allow-Methods"] = METHODS
    response["Access-Control-Allow-Headers"] = HEADERS
    response["Access-Control-Max-Age"] = MAX_AGE
    response["Vary"] = "Origin"
    return response


async def look_up(request: HttpRequest) -> None:
    """Note whether the agent that the address names allows the page that asks, before anything can
    go wrong: a page that may not read an error cannot tell its reader what happened."""
    origin = request.headers.get("origin")
    if origin is not None and API.match(request.path):
        found = PATH_FORM.match(request.path)
        named = address(request.scope, request.get_host(), found[1] if found else None)
        request.origin_allowed = await visitors.readable(named, origin)


def allow(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let the page that asked read the answer, where `look_up` or its token said so."""
    if "origin" not in request.headers:
        return
    response["Vary"] = "Origin"
    if request.origin_allowed:
        response["Access-Control-Allow-Origin"] = request.headers["origin"]
        response["Access-Control-Expose-Headers"] = EXPOSED
