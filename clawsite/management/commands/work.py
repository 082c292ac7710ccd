"""`manage.py work`: carries out runs without serving anybody."""

import asyncio
import logging
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clawsite.server import garbage
from clawsite.server.parts import PARTS
from conversations.process import wiring
from conversations.process.services import Services
from core.database import keep_no_statements

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Carry out runs, without sockets, until SIGTERM (PostgreSQL and Redis)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=500, help="runs at once")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CLAW_SCALED_OUT:
            raise CommandError(
                "`work` needs DATABASE_URL to be PostgreSQL, and REDIS_URL; without them the "
                "serving process carries out its runs itself."
            )
        if options["concurrency"] < 1:
            raise CommandError("--concurrency is at least 1.")
        import uvloop

        uvloop.run(_work(options["concurrency"], _place()))


def _place() -> socket.socket | None:
    """The socket for operators, if there is one. It is opened first, so that a port in use is
    reported at once."""
    from clawsite.server.uvicorn import listening

    if settings.CLAW_WORKER_ADDRESS is None:
        return None
    host, port = settings.CLAW_WORKER_ADDRESS
    try:
        return listening(host, port, None)
    except OSError as error:
        raise CommandError(f"CLAW_WORKER_ADDRESS {host}:{port}: {error.strerror}") from None


async def _work(concurrency: int, place: socket.socket | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    keep_no_statements()
    services = await wiring.start(work=concurrency, also=PARTS)
    operators = _operators(place, services)
    garbage.settle()
    log.info("carrying out up to %d runs at once", concurrency)
    await stopped.wait()
    log.info("stopping: no new runs")
    await services.announce_shutdown(0)
    await services.drain(settings.CLAW_SHUTDOWN_GRACE)
    if operators is not None:
        await operators.stop()
    await services.release()
    log.info("stopped")


def _operators(place: socket.socket | None, services: Services) -> Any:
    from clawsite.server.operators import OperatorServer

    if place is None:
        return None
    server = OperatorServer(place, services)
    server.start()
    return server
