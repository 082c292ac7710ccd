"""`manage.py create_member --org NAME --email EMAIL [--role ROLE] [--password-stdin] [--json]`"""

from django.core.management.base import CommandParser

from accounts.management.commands import create_user


class Command(create_user.Command):
    """`create_user` by its other name, with the address as an option."""

    def add_address(self, parser: CommandParser) -> None:
        """--email."""
        parser.add_argument("--email", required=True, metavar="EMAIL", help="who it is")
