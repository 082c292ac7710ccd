"""`manage.py backup FOLDER [--json]`"""

from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from clawsite.backup import BackupError
from clawsite.backup.work import back_up
from core.commands import Result, ResultCommand


class Command(ResultCommand):
    """Write a backup into a new dated folder, while the server runs."""

    help = (
        "Back up the database and the journals of runs into a new dated folder below FOLDER. The "
        "server may run. Keep .env, which holds the keys of the stored secrets, elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """FOLDER."""
        super().add_arguments(parser)
        parser.add_argument("folder", metavar="FOLDER", type=Path)

    def result(self, *, folder: Path, **options: object) -> Result:
        """`{folder, files, bytes}`"""
        try:
            made = back_up(folder)
        except (BackupError, OSError) as error:
            raise CommandError(f"No backup was made. {error}") from error
        data = {"folder": str(made.folder), "files": made.files, "bytes": made.bytes}
        return Result(data, f"{made.folder}: {made.files} files, {made.bytes} bytes")
