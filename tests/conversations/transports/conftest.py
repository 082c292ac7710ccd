"""An agent with visitors."""

import pytest

from agents.models import Agent
from tests.conversations.transports.rights import SHOP


@pytest.fixture
def agent(agent) -> Agent:
    """Acme's agent, for the visitors of its shop."""
    agent.allowed_origins = [SHOP]
    agent.save()
    return agent
