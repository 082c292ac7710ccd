"""Documents as tests want them, without a child process."""

from collections.abc import Callable

import pytest

from agents.auth import keys
from agents.caller import Caller
from agents.models import Agent
from knowledge import access
from knowledge.extraction.chunk import passages
from knowledge.extraction.texts import read_markdown
from knowledge.models import Document
from tests.agents.callers import caller_of

SCOPES = ["agents:read", "agents:write"]


@pytest.fixture
def caller(agent: Agent) -> Caller:
    """Who manages acme's agent."""
    return _manager(agent)


@pytest.fixture
def stranger(foreign_agent: Agent) -> Caller:
    """Who manages globex's agent."""
    return _manager(foreign_agent)


@pytest.fixture
def add() -> Callable[..., Document]:
    """Adds an indexed document: `add(caller, title, text)`."""
    return add_document


def add_document(caller: Caller, title: str, text: str) -> Document:
    """A document that is ready."""
    content = text.encode()
    access.add_document(caller, title=title, kind="markdown", content=content)
    row = access.claim_document()
    assert row is not None and row.title == title
    row.size = len(content)
    access.add_chunks(row, list(passages(read_markdown(content))))
    access.finish_document(row)
    row.refresh_from_db()
    return row


def _manager(agent: Agent) -> Caller:
    key = keys.create_key(agent.organization, name="m", agents=[agent], scopes=SCOPES)[0]
    return caller_of(key, agent)
