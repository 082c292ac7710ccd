"""`manage.py work`: carries out runs without serving anybody."""

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clawsite.server import garbage
from conversations import wiring


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

        uvloop.run(_work(options["concurrency"]))


async def _work(concurrency: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await wiring.start(work=concurrency)
    garbage.settle()
    await stopped.wait()
    await wiring.announce_shutdown(0)
    await wiring.stop(settings.CLAW_SHUTDOWN_GRACE)
