"""Backups of the database and the journals of runs, and what is made of them again."""


class BackupError(Exception):
    """Why there is no backup, or nothing was restored, for the operator."""
