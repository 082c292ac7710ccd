"""`manage.py rotate_api_key KEYID_OR_PREFIX [--overlap 1d] [--json]`"""

from datetime import timedelta

from django.core.management.base import CommandParser

from agents.access import key_of_operator
from agents.auth.rotation import OVERLAP, rotate
from core.commands import Result, ResultCommand, duration
from core.http import utc


class Command(ResultCommand):
    """A new key in place of an old one, which goes on for a while."""

    help = "Make a key that replaces another; the old one stays valid for the overlap."

    def add_arguments(self, parser: CommandParser) -> None:
        """The key to rotate, and how long both are valid."""
        super().add_arguments(parser)
        parser.add_argument(
            "key", metavar="KEYID_OR_PREFIX", help="its id, or the visible start of the key"
        )
        parser.add_argument(
            "--overlap",
            type=duration,
            default=OVERLAP,
            metavar="1d",
            help="a number and s, m, h, d or w; default: 1d",
        )

    def result(self, *, key: str, overlap: timedelta, **options: object) -> Result:
        """`{keyId, apiKey, rotatedFrom, oldKeyExpiresAt}`"""
        old = key_of_operator(key)
        successor, token = rotate(old, overlap=overlap)
        data = {
            "keyId": successor.id,
            "apiKey": token,
            "rotatedFrom": old.id,
            "oldKeyExpiresAt": utc(old.expires_at),
        }
        text = (
            f"Key {successor.id}, shown this once:\n{token}\n"
            f"The old one ({old.prefix}…) is valid until {data['oldKeyExpiresAt']}."
        )
        return Result(data, text)
