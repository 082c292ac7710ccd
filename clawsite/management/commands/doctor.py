"""`manage.py doctor [--url URL] [--json]`"""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clawsite.doctor.addresses import check_addresses
from clawsite.doctor.configuration import check_secrets, check_settings
from clawsite.doctor.database import check_database
from clawsite.doctor.finding import Finding
from clawsite.doctor.journal import check_journal
from clawsite.doctor.path import check_path
from clawsite.doctor.probe import observe
from clawsite.doctor.workers import check_workers


class Command(BaseCommand):
    """Looks at everything and ends with 0 only if all is well."""

    help = "Check settings, services and, with --url, the path that answers stream through."
    requires_system_checks: list[str] = []  # they are among the findings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", type=address, help="where visitors reach it: https://example.com"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="for programs")

    def handle(self, *args: Any, url: str | None, as_json: bool, **options: Any) -> None:
        found: list[Finding] = []
        for finding in _look(url):
            found.append(finding)
            if not as_json:
                self.stdout.write("\n".join(finding.lines()))
        problems = sum(not finding.ok for finding in found)
        if as_json:
            data = {"ok": not problems, "findings": [finding.data() for finding in found]}
            self.stdout.write(json.dumps(data))
        if problems:
            raise CommandError(f"{problems} of {len(found)} findings are problems.")


def address(text: str) -> str:
    """The type of --url."""
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise ArgumentTypeError(f"“{text}” is no address such as https://example.com")
    return text


def _look(url: str | None) -> Iterator[Finding]:
    yield from check_settings()
    yield from check_database()
    yield from check_secrets()
    yield from check_addresses()
    if settings.CLAW_SCALED_OUT:
        from clawsite.doctor.redis import check_redis

        yield from check_redis(settings.REDIS_URL)
        yield from check_workers()
    else:
        yield from check_journal(settings.CLAW_DATA_DIR)
    if url is not None:
        yield from check_path(observe(url), tls=url.startswith("https"))
