"""`manage.py rotate_secrets [--json]`"""

from django.core.management.base import CommandError

from accounts.rotation import rotate
from core.commands import Result, ResultCommand


class Command(ResultCommand):
    """Write every stored secret again, under the first of `CLAW_ENCRYPTION_KEYS`."""

    help = "Encrypt the stored secrets that an old key wrote with the first key. May be repeated."

    def result(self, **options: object) -> Result:
        """`{secrets, rotated}`"""
        state = rotate()
        if state.unreadable:
            raise CommandError(
                f"{state.unreadable} of {state.total} secrets fit none of CLAW_ENCRYPTION_KEYS: "
                "put the key that wrote them back. The others are encrypted with the first one."
            )
        data = {"secrets": state.total, "rotated": state.old}
        return Result(data, f"{state.old} of {state.total} secrets were encrypted again.")
