"""For operators, load balancers and Prometheus.

`/readyz` and `/metrics` are doors of operators: a client behind a proxy, so from outside,
needs `CLAW_METRICS_TOKEN`. All others are told that there is nothing here, whatever method, host or
spelling of the address they use."""

import asyncio
import hmac

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from conversations.process import backlog, metrics
from conversations.process.backlog import Backlog
from conversations.process.services import services_of
from conversations.transports.identify import bearer_token
from conversations.transports.rest.routing import check_method
from core.database import database_step
from core.http import Answer
from core.metrics import exposition
from core.networks import ip_of
from engine.errors import ClawError, Unavailable

METHODS = ("GET", "HEAD")
PROXIED = (
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-real-ip",
    "forwarded",
    "via",
)
PATIENCE = 2.0  # seconds: a probe does not wait long


async def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive and its event loop turns."""
    check_method(request, METHODS)
    return HttpResponse("ok\n", content_type="text/plain")


async def readyz(request: HttpRequest) -> HttpResponse:
    """`{status, checks}`: whether new work is welcome here; 503 if it is not.

    That no worker lives is said, but no other server could take the work better."""
    _admit(request, near=not _proxied(request))
    services = services_of(request.scope)
    checks = {
        "draining": "no" if not services.dispatcher.draining else "yes",
        "database": await _database(),
    }
    for name, probe in services.probes.items():
        checks[name] = "ok" if await probe() else "unavailable"
    ready = set(checks.values()) == {"no", "ok"}
    if (work := await _backlog()) is not None:
        checks["workers"] = work.problem or "ok"
    body = {"status": "ready" if ready else "unavailable", "checks": checks}
    return Answer(body, 200 if ready else 503)


async def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for loopback or, where one is set, for clients with the token."""
    _admit(request, near=not settings.CLAW_METRICS_TOKEN and _is_loopback(request))
    services_of(request.scope).present.look()
    work = await _backlog()
    body = exposition(metrics.of_backlog(work) if work is not None else ())
    return HttpResponse(body, content_type="text/plain; version=0.0.4")


def _admit(request: HttpRequest, *, near: bool) -> None:
    """Raises `not_found` for who is not near and has no token, then `method_not_allowed`."""
    if not (near or _has_token(request)):
        raise ClawError("not_found", "There is nothing here.")
    check_method(request, METHODS)


def _has_token(request: HttpRequest) -> bool:
    token = settings.CLAW_METRICS_TOKEN
    given = bearer_token({"authorization": request.headers.get("authorization", "")}) or ""
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _is_loopback(request: HttpRequest) -> bool:
    """By the peer itself, whatever a header says: behind a proxy on this machine, set the token."""
    peer = ip_of((request.scope.get("client") or [""])[0])
    return peer is not None and peer.is_loopback and not _proxied(request)


def _proxied(request: HttpRequest) -> bool:
    return any(name in request.headers for name in PROXIED)


async def _backlog() -> Backlog | None:
    """The backlog, or None if the database does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await database_step(backlog.look)
    except (Unavailable, TimeoutError):
        return None


async def _database() -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await database_step(_migrations)
    except (Unavailable, TimeoutError):  # steps wait for each other, and for the pool
        return "unavailable"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(pending)} migrations to apply" if pending else "ok"
