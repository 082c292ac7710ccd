"""`clawsite.checks`: what would bite later, said before the start."""

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
    settings.DATABASES = {"default": {"ENGINE": f"django.db.backends.{name}"}}


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
