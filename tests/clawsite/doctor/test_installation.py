"""`clawsite.doctor` on this machine: settings, secrets, database, journal, Redis."""

import fcntl
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError, connection

from accounts.models import Secret
from clawsite.doctor import database, journal
from clawsite.doctor.configuration import check_secrets, check_settings
from clawsite.doctor.database import check_database
from clawsite.doctor.finding import Finding
from clawsite.doctor.journal import check_journal
from clawsite.doctor.redis import check_redis
from tests.redis_server import RedisServer


def wrong(findings: Iterable[Finding]) -> list[str]:
    """What is said of what is not well; each comes with a fix."""
    found = [finding for finding in findings if not finding.ok]
    assert all(finding.fixes for finding in found)
    return [finding.message for finding in found]


def test_it_works(db: None, tmp_path: Path) -> None:
    findings = [
        *check_settings(),
        *check_secrets(),
        *check_database(),
        *check_journal(tmp_path),
    ]
    assert wrong(findings) == []
    assert [finding.check for finding in findings] == [
        *("settings", "secrets", "database", "journal")
    ]


def test_a_failed_system_check_is_a_problem_with_its_hint(settings) -> None:
    settings.CLAW_ENCRYPTION_KEYS = []
    (message,) = wrong(check_settings())
    assert "clawsite.E002" in message


def test_debug_is_a_problem(settings) -> None:
    settings.DEBUG = True
    assert "DEBUG" in wrong(check_settings())[0]


def test_secrets_under_an_old_key_and_under_none_are_counted(acme, settings) -> None:
    (old,) = settings.CLAW_ENCRYPTION_KEYS
    Secret.objects.create(organization=acme, name="one", value="text")
    new = Fernet.generate_key().decode()
    settings.CLAW_ENCRYPTION_KEYS = [new, old]
    assert "1 of 1 stored secrets are encrypted with an old key" in wrong(check_secrets())[0]
    settings.CLAW_ENCRYPTION_KEYS = [new]
    assert "1 of 1 stored secrets fit none" in wrong(check_secrets())[0]


def test_migrations_that_are_not_applied_are_a_problem(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'conversations'")
    assert "migrations are not applied" in wrong(check_database())[0]


def test_a_database_that_is_away_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError("connection refused\nis it running?")

    monkeypatch.setattr(database.connection, "ensure_connection", away)
    assert wrong(check_database()) == ["It does not answer: connection refused"]


def test_whether_a_server_runs_is_said(tmp_path: Path) -> None:
    (free,) = check_journal(tmp_path)
    assert "no server runs" in free.message
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (held,) = check_journal(tmp_path)
    assert held.ok
    assert "a server has it" in held.message


def test_a_folder_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "cannot be used" in wrong(check_journal(file))[0]


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MIN_FREE_MB", 10**12)
    assert "MB are free" in wrong(check_journal(tmp_path))[0]


@pytest.mark.redis
def test_a_redis_that_evicts_or_forgets_is_a_problem(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, aof=True)
    server.start()
    try:
        assert wrong(check_redis(server.url)) == []
        server.ask("CONFIG SET maxmemory-policy allkeys-lru")
        server.ask("CONFIG SET appendonly no")
        first, second = wrong(check_redis(server.url))
    finally:
        server.stop()
    assert "allkeys-lru" in first
    assert "appendonly" in second
    assert "does not answer" in wrong(check_redis(server.url))[0]
