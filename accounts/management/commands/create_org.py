"""`manage.py create_org NAME [--owner EMAIL] [--json]`"""

from django.core.management.base import CommandParser
from django.db import transaction

from accounts.access import ensure_member, ensure_organization
from core.commands import Result, ResultCommand


class Command(ResultCommand):
    """Make an organisation, or find the one of that name."""

    help = "Make an organisation (a tenant), or find the one of that name."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME and --owner."""
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--owner", metavar="EMAIL", help="whose it is")

    @transaction.atomic
    def result(self, *, name: str, owner: str | None, **options: object) -> Result:
        """`{orgId, slug}`"""
        organization = ensure_organization(name)
        lines = [f"Organisation {organization.name}: {organization.id}"]
        if owner:
            user = ensure_member(organization, owner)
            lines.append(f"Owner {user.email}: chooses a password at /accounts/password/reset/.")
        return Result({"orgId": organization.id, "slug": organization.slug}, "\n".join(lines))
