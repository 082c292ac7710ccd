"""A bank whose payments somebody must approve, and a page that carries out tools itself."""

import pytest

from agents.caller import Caller
from conversations.process.services import Services
from tests.agents.callers import having
from tests.conversations.execution.waiting.paying import Bank
from tests.conversations.execution.waiting.shop import Shop


@pytest.fixture
def shop(services: Services, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The runs of a serving process."""
    return Shop(services, monkeypatch)


@pytest.fixture
def bank(services: Services, monkeypatch: pytest.MonkeyPatch) -> Bank:
    """The tool of the agents of a serving process."""
    return Bank(services, monkeypatch)


@pytest.fixture
def approver(caller: Caller) -> Caller:
    """A key of the organisation that may approve."""
    return having(caller, scopes=caller.principal.scopes | {"runs:approve"})
