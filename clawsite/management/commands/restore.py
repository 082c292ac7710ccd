"""`manage.py restore FOLDER [--force] [--json]`"""

from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from clawsite.backup import BackupError
from clawsite.backup.work import restore
from core.commands import Result, ResultCommand


class Command(ResultCommand):
    """Put a backup in the place of the database and the journals, while no server runs."""

    requires_system_checks: list[str] = []  # it makes the folders that they want to be there
    help = (
        "Restore a backup, or the newest one below FOLDER, while no server and worker runs. Then "
        "run `migrate`, if the backup is of an earlier version."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """FOLDER, and whether to replace what is there."""
        super().add_arguments(parser)
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument("--force", action="store_true", help="replace all that is there")

    def result(self, *, folder: Path, force: bool, **options: object) -> Result:
        """`{folder, files, bytes}`"""
        try:
            made = restore(folder, force=force)
        except (BackupError, OSError) as error:
            raise CommandError(f"Not restored. {error}") from error
        data = {"folder": str(made.folder), "files": made.files, "bytes": made.bytes}
        return Result(data, f"Restored {made.folder}: {made.files} files, {made.bytes} bytes")
