"""`conversations.transports.facade.models`: the agents of a caller as models."""

import pytest

from agents.auth import keys
from tests.asgi import ask

pytestmark = pytest.mark.usefixtures("services")


async def test_it_works(agent, second_agent, key) -> None:
    """A key lists the agents that it opens, and no others."""
    status, told = await ask("GET", "/v1/models", token=key[1])
    assert status == 200 and [each["id"] for each in told["data"]] == [agent.slug]
    assert await ask("GET", f"/v1/models/{agent.slug}", token=key[1]) == (200, told["data"][0])


async def test_another_agent_is_no_model(second_agent, foreign_agent, key) -> None:
    for name in (second_agent.slug, foreign_agent.slug, "nothing"):
        status, told = await ask("GET", f"/v1/models/{name}", token=key[1])
        assert (status, told["error"]["code"]) == (404, "agent_not_found")


@pytest.fixture
def reader(acme) -> str:
    """A key that may read usage, and not chat."""
    return keys.create_key(acme, name="r", scopes=["usage:read"])[1]


async def test_it_needs_the_scope_to_chat(agent, reader) -> None:
    for path in ("/v1/models", f"/v1/models/{agent.slug}"):
        status, told = await ask("GET", path, token=reader)
        assert (status, told["error"]["code"]) == (403, "forbidden")
