"""`manage.py export_openapi > docs/openapi.json`"""

import json
from typing import Any

from django.core.management.base import BaseCommand

from clawsite.openapi import openapi


class Command(BaseCommand):
    """The description of the HTTP API, as `GET /api/openapi.json` gives it."""

    help = "Print the OpenAPI 3.1 document of the HTTP API."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Indented, for people and version control."""
        self.stdout.write(json.dumps(openapi(), indent=2))
