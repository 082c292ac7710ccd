"""`clawsite.checks.installation`: what would bite later, said before the start."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks

REDIS = "redis://127.0.0.1:6379"


def found(*, deploy: bool = False) -> set[str]:
    """The ids of our own messages."""
    messages = run_checks(include_deployment_checks=deploy)
    assert all(message.hint for message in messages if message.id.startswith("clawsite."))
    return {message.id for message in messages if message.id.startswith("clawsite.")}


@pytest.fixture(autouse=True)
def production(settings):
    settings.DEBUG = False
    settings.REDIS_URL = ""
    settings.ANTHROPIC_API_KEY = "sk-ant"


def engine(settings, name: str) -> None:
    settings.DATABASES = {"default": {"ENGINE": f"django.db.backends.{name}", "NAME": ""}}


def test_it_works():
    assert found(deploy=True) == set()


def test_a_secret_key_is_needed(settings):
    settings.SECRET_KEY = ""

    assert "clawsite.E001" in found()


def test_production_needs_encryption_keys_and_development_does_not(settings):
    settings.CLAW_ENCRYPTION_KEYS = []
    assert found() == {"clawsite.E002"}

    settings.DEBUG = True
    assert found() == set()


def test_every_encryption_key_is_well_formed(settings):
    settings.CLAW_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), "short"]

    assert found() == {"clawsite.E003"}


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(
    ("name", "messages"), [("sqlite3", {"clawsite.E004"}), ("postgresql", set())]
)
def test_redis_is_for_several_processes_which_share_postgresql(settings, name, messages):
    engine(settings, name)
    assert found() == set()

    settings.REDIS_URL = REDIS
    assert found() == messages


def test_agents_that_would_answer_as_the_demo_are_pointed_out_before_a_deployment(settings):
    settings.ANTHROPIC_API_KEY = ""

    assert found() == set()
    assert found(deploy=True) == {"clawsite.W001"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CLAW_AGENT_DOMAIN", "https://agents.example.com", "clawsite.E005"),
        ("CLAW_AGENT_DOMAIN", "example.com:8000", "clawsite.E005"),
        ("CLAW_AGENT_DOMAIN", "example.com/agents", "clawsite.E005"),
        ("CLAW_AGENT_DOMAIN", "192.0.2.1", "clawsite.E005"),
        ("CLAW_AGENT_DOMAIN", "", "clawsite.E005"),
        ("ALLOWED_HOSTS", ["https://example.com"], "clawsite.E006"),
        ("ALLOWED_HOSTS", ["example.com", "example.com:8000"], "clawsite.E006"),
        ("ANTHROPIC_API_KEY", "sk-ant\n-two", "clawsite.E007"),
        ("OPENAI_API_KEY", "sk-\x00", "clawsite.E007"),
        ("OPENAI_API_KEY", "schlüssel", "clawsite.E007"),
        ("CLAW_MAX_MESSAGE_BYTES", 2**30, "clawsite.E008"),
        ("CLAW_AGENT_DOMAIN", ".agents.example.com", "clawsite.E005"),
        ("CLAW_AGENT_DOMAIN", "*.example.com", "clawsite.E005"),
        ("CLAW_AGENT_DOMAIN", "agents..example.com", "clawsite.E005"),
        ("CLAW_UNKNOWN_SETTINGS", {"CLAW_RUN_TIMOUT": ""}, "clawsite.W002"),
        ("CLAW_DATA_DIR", Path("/proc/journal"), "clawsite.E011"),
        ("CLAW_DATA_DIR", Path("/proc/one/of/its/own"), "clawsite.E011"),
        ("CLAW_DATA_DIR", Path(__file__), "clawsite.E011"),
        ("CLAW_DATA_DIR", Path(__file__) / "journal", "clawsite.E011"),
    ],
)
def test_what_makes_every_run_or_request_fail_is_said_at_the_start(settings, name, value, message):
    setattr(settings, name, value)

    assert found() == {message}


@pytest.mark.parametrize(
    "hosts", [["*"], [".example.com", "localhost"], ["[::1]", "127.0.0.1"], ["a_b.example.com"]]
)
def test_hosts_that_requests_can_match(settings, hosts):
    settings.ALLOWED_HOSTS = hosts

    assert found() == set()


def test_a_journal_that_is_not_there_yet_is_made(settings, tmp_path):
    settings.CLAW_DATA_DIR = tmp_path / "of" / "its" / "own"

    assert found() == set()


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("/proc/db.sqlite3", {"clawsite.E011"}),
        ("/nowhere/db.sqlite3", {"clawsite.E011"}),
        (f"{Path(__file__).parent}/db.sqlite3", set()),
        (":memory:", set()),
    ],
)
def test_a_database_needs_a_folder(settings, name, messages):
    engine(settings, "sqlite3")
    settings.DATABASES["default"]["NAME"] = name

    assert found() == messages


def test_scaled_out_there_is_no_folder(settings):
    settings.CLAW_SCALED_OUT, settings.CLAW_DATA_DIR = True, Path("/proc/journal")

    assert found() == set()


def test_the_nearest_setting_is_named(settings):
    settings.CLAW_UNKNOWN_SETTINGS = {"CLAW_RUN_TIMOUT": "CLAW_RUN_TIMEOUT", "CLAW_XYZZY": ""}

    near, far = [message.hint for message in run_checks() if message.id == "clawsite.W002"]
    assert "CLAW_RUN_TIMEOUT" in near
    assert "docs/settings.md" in far


def test_the_list_of_mcp_programs_can_be_read(settings, tmp_path):
    file = tmp_path / "mcp.json"
    settings.CLAW_MCP_STDIO = str(file)
    for content in (None, "[]", '{"time": {}}', '{"time": {"command": "x", "shell": true}}'):
        if content is not None:
            file.write_text(content)
        assert found() == {"clawsite.E012"}
    file.write_text('{"time": {"command": "mcp-server-time"}}')
    assert found() == set()
