"""`manage.py doctor`: what it prints, and how it ends."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.commands import result, run


@pytest.fixture(autouse=True)
def journal(settings, tmp_path, transactional_db) -> None:
    settings.CLAW_DATA_DIR = tmp_path


def test_it_works() -> None:
    printed = run("doctor")
    assert "ok       database: SQLite answers" in printed
    assert "PROBLEM" not in printed


def test_programs_get_one_object() -> None:
    found = result("doctor")
    assert found["ok"] is True
    assert {finding["check"] for finding in found["findings"]} == {
        *("settings", "database", "secrets", "journal")
    }


def test_a_problem_comes_with_its_fix_and_a_bad_end(settings, capsys) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="1 of 4 findings"):
        call_command("doctor")
    printed = capsys.readouterr().out
    assert "PROBLEM  settings: DEBUG is on" in printed
    assert "fix: Set DEBUG=false." in printed
    with pytest.raises(CommandError):
        call_command("doctor", "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_an_address_is_an_http_one() -> None:
    with pytest.raises(CommandError, match="no address"):
        run("doctor", "--url", "example.com")
