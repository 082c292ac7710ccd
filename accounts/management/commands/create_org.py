"""`manage.py create_org NAME [--owner EMAIL] [--json]`"""

from django.core.management.base import CommandParser
from django.db import transaction

from accounts.access import ensure_organization, ensure_owner
from accounts.commands import Result, ResultCommand


class Command(ResultCommand):
    """Make an organisation, or find the one of that name."""

    help = "Make an organisation (a tenant), or find the one of that name."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME and --owner."""
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--owner", metavar="EMAIL", help="make this person its owner")

    @transaction.atomic
    def result(self, *, name: str, owner: str | None, **options: object) -> Result:
        """`{orgId}`"""
        organization = ensure_organization(name)
        lines = [f"Organisation {organization.name}: {organization.id}"]
        if owner:
            user = ensure_owner(organization, owner)
            lines.append(f"Owner {user.email}")
            if not user.has_usable_password():
                lines.append(
                    f"  set a password: .venv/bin/python manage.py changepassword {user.email}"
                )
        return Result({"orgId": organization.id}, "\n".join(lines))
