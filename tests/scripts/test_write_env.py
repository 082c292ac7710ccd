"""`make run` writes the installation's secrets once and never touches what is there."""

import stat
from pathlib import Path

from cryptography.fernet import Fernet

from scripts.write_env import complete, write


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert write(path)
    found = values(path.read_text())
    assert len(found["SECRET_KEY"]) >= 50
    Fernet(found["CLAW_ENCRYPTION_KEYS"])
    assert "DEBUG" not in found


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    before = path.read_text()
    assert not write(path)
    assert path.read_text() == before


def test_what_is_there_stays() -> None:
    text = "# mine\nANTHROPIC_API_KEY=abc\nSECRET_KEY=kept\n"
    after = complete(text)
    assert after.startswith(text)
    assert set(values(after)) == {"ANTHROPIC_API_KEY", "SECRET_KEY", "CLAW_ENCRYPTION_KEYS"}


def test_an_empty_value_counts_as_missing() -> None:
    after = complete("SECRET_KEY=\nDEBUG=false\n")
    assert "SECRET_KEY=\n" not in after
    assert values(after)["SECRET_KEY"]


def test_two_installations_share_nothing() -> None:
    first, second = values(complete("")), values(complete(""))
    assert not set(first.values()) & set(second.values())
