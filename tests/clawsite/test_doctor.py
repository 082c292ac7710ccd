"""`manage.py doctor`: what it prints, and how it ends."""

import json
from ipaddress import ip_network

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization
from agents.access import ensure_agent
from agents.auth.identity import new_secret
from agents.models import Agent
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


def test_an_agent_whose_model_server_is_not_allowed_is_named(settings) -> None:
    agent = make_agent("inside")
    agent.base_url = "http://10.1.2.3:11434/v1"
    agent.save(update_fields=["base_url"])
    with pytest.raises(CommandError):
        run("doctor")
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("10.0.0.0/8")]
    assert "ok       agents: The addresses of 1 agents" in run("doctor")


def test_an_unusable_encryption_key_is_a_finding(settings, capsys) -> None:
    new_secret(make_agent("secret"))
    settings.CLAW_ENCRYPTION_KEYS = ["short"]
    with pytest.raises(CommandError):
        call_command("doctor")
    printed = capsys.readouterr().out
    assert "clawsite.E003" in printed
    assert "1 of 1 stored secrets fit none" in printed


def make_agent(slug: str) -> Agent:
    return ensure_agent(Organization.objects.create(name=slug), slug)
