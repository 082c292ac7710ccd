"""`manage.py create_user EMAIL --org NAME [--role ROLE] [--password-stdin] [--json]`"""

import sys

from django.contrib.auth.password_validation import validate_password
from django.core.management.base import CommandParser
from django.db import transaction

from accounts.access import ensure_member, organization_of_operator
from accounts.models import Membership, User
from core.commands import Result, ResultCommand


class Command(ResultCommand):
    """Make a person a member of an organisation, who can sign in to the console."""

    help = "Make a member of an organisation, or give one another role."

    def add_arguments(self, parser: CommandParser) -> None:
        """EMAIL and what they may do."""
        super().add_arguments(parser)
        self.add_address(parser)
        parser.add_argument("--org", required=True, metavar="NAME", help="the organisation")
        roles = Membership.Role.values
        parser.add_argument("--role", choices=roles, default=Membership.Role.MEMBER)
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def add_address(self, parser: CommandParser) -> None:
        """EMAIL."""
        parser.add_argument("email", metavar="EMAIL")

    @transaction.atomic
    def result(
        self, *, email: str, org: str, role: str, password_stdin: bool, **options: object
    ) -> Result:
        """`{userId, orgId, email, role}`"""
        organization = organization_of_operator(org)
        user = ensure_member(organization, email, role)
        if password_stdin:
            _set_password(user, sys.stdin.readline().rstrip("\r\n"))
        data = {"userId": user.id, "orgId": organization.id, "email": user.email, "role": role}
        return Result(data, _text(user, organization.name, role))


def _set_password(user: User, password: str) -> None:
    """Raises ValidationError for a password that is too easy."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])


def _text(user: User, organization: str, role: str) -> str:
    lines = [f"{user.email} is {role} of {organization}: {user.id}"]
    if not user.has_usable_password():
        lines.append("They choose a password at /accounts/password/reset/, with a code by mail.")
    return "\n".join(lines)
