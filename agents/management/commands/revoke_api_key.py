"""`manage.py revoke_api_key KEYID_OR_PREFIX`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from agents.access import key_of_operator
from agents.auth import keys
from core.commands import readable_errors


class Command(BaseCommand):
    """End a key for good; a running server cuts what it opened within a second."""

    help = "Revoke an API key; what it opened is cut within a second."

    def add_arguments(self, parser: CommandParser) -> None:
        """The key to revoke."""
        parser.add_argument(
            "key", metavar="KEYID_OR_PREFIX", help="its id, or the visible start of the key"
        )

    def handle(self, *args: Any, key: str, **options: Any) -> None:
        """Revoke exactly one key; one that is revoked already stays so."""
        with readable_errors():
            found = key_of_operator(key)
        keys.revoke(found)
        self.stdout.write(f"Revoked {found.id} ({found.prefix}…)")
