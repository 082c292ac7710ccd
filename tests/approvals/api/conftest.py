"""A key of the organisation that approves, and the bank of `tests.approvals.conftest`."""

import pytest

from agents.auth import keys
from agents.models import Agent


@pytest.fixture
def token(agent: Agent) -> str:
    """A key that opens every agent, and approves."""
    return keys.create_key(agent.organization, name="a", scopes=["chat", "runs:approve"])[1]
