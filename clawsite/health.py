"""For operators, load balancers and Prometheus."""

import asyncio
import hmac
from ipaddress import ip_address

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from accounts.database import database_step
from accounts.http import Answer
from conversations import metrics, wiring
from conversations.transports.identify import bearer_token
from engine.errors import ClawError, Unavailable

PATIENCE = 2.0  # seconds: whoever asks does not wait long


async def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive and its event loop turns."""
    return HttpResponse("ok\n", content_type="text/plain")


async def readyz(request: HttpRequest) -> HttpResponse:
    """`{status, checks}`: whether new work is welcome here; 503 if it is not."""
    services = wiring.services()
    checks = {
        "draining": "no" if not services.dispatcher.draining else "yes",
        "database": await _database(),
    }
    for name, probe in services.probes.items():
        checks[name] = "ok" if await probe() else "unavailable"
    ready = set(checks.values()) == {"no", "ok"}
    body = {"status": "ready" if ready else "unavailable", "checks": checks}
    return Answer(body, 200 if ready else 503)


async def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for loopback or for whoever has `CLAW_METRICS_TOKEN`.

    Others are told that there is nothing here."""
    if not _may_read(request):
        raise ClawError("not_found", "There is nothing here.")
    return HttpResponse(metrics.exposition(), content_type="text/plain; version=0.0.4")


def _may_read(request: HttpRequest) -> bool:
    if token := settings.CLAW_METRICS_TOKEN:
        given = bearer_token({"authorization": request.headers.get("authorization", "")})
        return hmac.compare_digest((given or "").encode(), token.encode())
    # The peer itself, whatever a header says: behind a proxy on this machine, set the token.
    peer = (request.scope.get("client") or [""])[0]
    try:
        local = ip_address(peer).is_loopback
    except ValueError:
        return False
    return local and "x-forwarded-for" not in request.headers


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
