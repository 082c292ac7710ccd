"""`make run` writes the installation's secrets once and never touches what is there."""

import argparse
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from scripts.write_env import complete, port_number, write


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
    assert first.pop("CLAW_SIGNUP") == second.pop("CLAW_SIGNUP") == "open"
    assert not set(first.values()) & set(second.values())


def test_a_port_that_was_given_is_remembered_in_place_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nPORT=8000\nB=2\nexport PORT=8005\n")
    assert write(path, 8001)
    assert path.read_text().startswith("A=1\nPORT=8001\nB=2\nSECRET_KEY=")
    assert not write(path, 8001)
    assert not write(path), "without a port the last one stays"


@pytest.mark.parametrize("text", ["0", "65536", "80a", "", "-1", "8_000", "\u0668"])
def test_a_port_is_a_number_of_one(text: str) -> None:
    assert port_number("8001") == 8001
    with pytest.raises(argparse.ArgumentTypeError, match="1 to 65535"):
        port_number(text)
