"""`conversations.transports.rest.usage.report`: what was used, by day and other groups."""

import pytest

from agents.auth import keys
from tests.asgi import ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services", "agent")


@pytest.fixture
def admin(acme) -> str:
    return keys.create_key(acme, name="a", scopes=["chat", "admin"])[1]


async def test_an_answer_is_counted_in_its_group(admin) -> None:
    assert (await ask("POST", "/a/helper/api/chat", {"message": QUICK}, token=admin))[0] == 200
    status, told = await ask("GET", "/api/usage?groupBy=agent", token=admin)
    assert (status, told["groupBy"]) == (200, ["agent"])
    assert "helper" in str(told).lower()


async def test_a_group_that_is_not_there(admin) -> None:
    status, told = await ask("GET", "/api/usage?groupBy=moon", token=admin)
    assert (status, told["error"]["details"]) == (400, {"field": "groupBy"})


async def test_a_key_without_admin_reads_nothing(key) -> None:
    status, told = await ask("GET", "/api/usage", token=key[1])
    assert (status, told["error"]["code"]) == (403, "forbidden")
