"""Callers of two organisations, and the run engine over a folder of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.auth import keys
from agents.caller import Caller
from agents.models import Agent, ApiKey
from conversations.process import wiring
from conversations.process.services import Services
from conversations.signals.channel import Signals
from tests import asgi
from tests.agents.callers import caller_of
from tests.conversations.parts import Parts


@pytest.fixture
def caller(key: tuple[ApiKey, str], agent: Agent) -> Caller:
    """Acme's key, asking acme's agent."""
    return caller_of(key[0], agent)


@pytest.fixture
def foreign_caller(foreign_key: tuple[ApiKey, str], foreign_agent: Agent) -> Caller:
    """Globex's key, asking globex's agent."""
    return caller_of(foreign_key[0], foreign_agent)


@pytest.fixture
def second_agent(agent: Agent) -> Agent:
    """Another agent of acme, which acme's key does not open."""
    return Agent.objects.create(
        organization=agent.organization, slug="second", name="Second", provider="demo"
    )


@pytest.fixture
def second_caller(second_agent: Agent) -> Caller:
    """Acme again, with a key of the second agent."""
    key, _ = keys.create_key(second_agent.organization, name="second", agents=[second_agent])
    return caller_of(key, second_agent)


@pytest.fixture
async def signals() -> AsyncIterator[Signals]:
    """Of this process."""
    signals = Signals()
    await signals.start()
    yield signals
    await signals.stop()


@pytest.fixture
async def parts(tmp_path: Path, transactional_db: None) -> AsyncIterator[Parts]:
    """The run engine; what still runs at the end of the test is interrupted."""
    async with Parts(tmp_path / "runs") as parts:
        yield parts


@pytest.fixture
async def services(tmp_path, settings, monkeypatch, transactional_db) -> AsyncIterator[Services]:
    """Everything that a serving process has, over a folder of the test's own."""
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    settings.ALLOWED_HOSTS = ["*"]
    services = await wiring.start()
    monkeypatch.setitem(asgi.STATE, "services", services)
    yield services
    await services.stop(0)
