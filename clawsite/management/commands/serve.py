"""`manage.py serve`: the production server."""

import errno
import os
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from conversations.process.journal_lock import JournalBusy


class Command(BaseCommand):
    help = "Serve HTTP and WebSocket, and carry out runs, until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port to listen on")
        parser.add_argument(
            "--workers", type=int, default=1, help="serving processes (PostgreSQL and Redis)"
        )
        parser.add_argument(
            "--no-work", action="store_true", help="leave runs to `work` (PostgreSQL and Redis)"
        )
        parser.add_argument("--fd", type=int, help=SUPPRESS)  # the supervisor's socket
        parser.add_argument("--parent", type=int, help=SUPPRESS)  # at its end when that has died

    def handle(self, *args: Any, **options: Any) -> None:
        workers, no_work = options["workers"], options["no_work"]
        if not 1 <= options["port"] <= 65535:
            raise CommandError(f"A port is 1 to 65535, not {options['port']}.")
        # Addresses that are printed and mailed name it, also by the supervisor's children.
        settings.PORT, os.environ["PORT"] = options["port"], str(options["port"])
        if workers < 1:
            raise CommandError("--workers is at least 1.")
        if (workers > 1 or no_work) and not settings.CLAW_SCALED_OUT:
            raise CommandError(
                "One process serves everything unless DATABASE_URL is PostgreSQL and REDIS_URL is "
                "set: --workers and --no-work need both."
            )
        from clawsite.server.supervisor import Supervisor
        from clawsite.server.uvicorn import listening, serve

        try:
            place = listening(options["host"], options["port"], options["fd"])
            if workers > 1:
                Supervisor(place, workers, ["--no-work"] if no_work else []).run()
            else:
                serve(place, work=0 if no_work else None, parent=options["parent"])
        except JournalBusy as busy:
            raise CommandError(str(busy)) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CommandError(
                f"Port {options['port']} is in use; choose another one: PORT=8001 make run"
            ) from None
