"""The pages of an agent that has a public page: its chat and a demo of the widget on its own host,
and the chat in a frame on the console's, which is another origin.

Their policies (https://www.w3.org/TR/CSP3/) let in nothing that is not ours, and nothing inline."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_safe

from agents.public import visited
from agents.public.addresses import host_slug
from agents.public.card import Card, picture_hosts
from agents.public.visited import VisitedAgent

OURS = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}


@require_safe
async def chat(request: HttpRequest) -> HttpResponse:
    """`/` on the agent's own host."""
    agent = await _public(host_slug(request.get_host()))
    if agent is None:
        return _missing(request)
    framing = " ".join(["'self'", *_consoles(request), *agent.allowed_origins])
    pictures = " ".join([OURS["img-src"], *picture_hosts(agent)])
    policy = _talking(request) | {"frame-ancestors": framing, "img-src": pictures}
    card = Card.of(agent, f"{_scheme(request)}://{request.get_host()}/")
    return _page(request, "chat", agent, policy, wire=_developing(request), card=card)


@require_safe
async def demo(request: HttpRequest) -> HttpResponse:
    """`/demo/` there: a page with the widget, as somebody else's would have it."""
    agent = await _public(host_slug(request.get_host()))
    if agent is None:
        return _missing(request)
    home = f"{_scheme(request)}://{request.get_host()}"
    policy = _talking(request) | {"frame-ancestors": "'self'"}
    return _page(request, "demo", agent, policy, home=home, origins=agent.allowed_origins)


@require_safe
async def frame(request: HttpRequest, slug: str) -> HttpResponse:
    """`/a/<slug>/` on the console's host: what the agent says must not share its origin."""
    agent = await _public(slug)
    if agent is None:
        return _missing(request)
    home = _beside(request, f"{agent.config.slug}.{settings.CLAW_AGENT_DOMAIN}")
    policy = OURS | {"frame-src": home, "frame-ancestors": "'self'"}
    return _page(request, "frame", agent, policy, home=f"{home}/")


async def _public(slug: str | None) -> VisitedAgent | None:
    agent = await visited.find([slug]) if slug else None
    return agent if agent is not None and agent.public_page else None


def _page(
    request: HttpRequest,
    name: str,
    agent: VisitedAgent,
    policy: Mapping[str, str],
    **context: object,
) -> HttpResponse:
    return _answer(request, name, policy, {"agent": agent.config, **context})


def _developing(request: HttpRequest) -> bool:
    """Whether this is shown to who runs the server, and not to a visitor: who looks at it from the
    same machine, without a proxy between."""
    here = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
    return settings.DEBUG or (here and "x-forwarded-for" not in request.headers)


def _missing(request: HttpRequest) -> HttpResponse:
    response = _answer(request, "missing", OURS | {"frame-ancestors": "'none'"}, {})
    response.status_code = 404
    return response


def _answer(
    request: HttpRequest, name: str, policy: Mapping[str, str], context: Mapping[str, object]
) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        response = HttpResponse(render_to_string(f"agents/{name}.html", dict(context)))
    response["Vary"] = "Accept-Language"
    response["Content-Security-Policy"] = "; ".join(
        f"{directive} {sources}" for directive, sources in policy.items()
    )
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-cache"
    response.xframe_options_exempt = True  # `frame-ancestors` says it better
    return response


def _talking(request: HttpRequest) -> dict[str, str]:
    """The policy of a page that talks to its own host; older browsers want the socket named."""
    socket = f"{_scheme(request).replace('http', 'ws')}://{request.get_host()}"
    return OURS | {"connect-src": f"'self' {socket}"}


def _consoles(request: HttpRequest) -> list[str]:
    """The origins of the console: on the hosts that this installation calls by name."""
    named = [host.lower() for host in settings.ALLOWED_HOSTS if host[:1] not in ("", ".", "*", "[")]
    return [_beside(request, host) for host in named if host_slug(host) is None]


def _beside(request: HttpRequest, host: str) -> str:
    """The origin of another host of ours, at the port where this one was reached."""
    port = re.search(r":[0-9]+$", request.get_host())
    return f"{_scheme(request)}://{host}{port[0] if port else ''}"


def _scheme(request: HttpRequest) -> str:
    return "https" if settings.CLAW_HTTPS or request.is_secure() else "http"
