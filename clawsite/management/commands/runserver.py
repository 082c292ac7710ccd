"""`manage.py runserver`: Daphne, for development."""

from typing import Any

from daphne.management.commands import runserver
from django.core.management.base import CommandError

from clawsite.server.daphne import ClawDaphne
from conversations.process.journal_lock import JournalBusy


class Command(runserver.Command):
    """Daphne's command with our server."""

    server_cls = ClawDaphne

    def inner_run(self, *args: Any, **options: Any) -> None:
        try:
            super().inner_run(*args, **options)
        except JournalBusy as busy:
            raise CommandError(str(busy)) from None
