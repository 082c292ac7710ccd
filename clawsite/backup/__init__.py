"""Backups of the database and the journals of runs, and what is made of them again."""


class BackupError(Exception):
    """The reason why a backup or a restore failed, for the operator."""
