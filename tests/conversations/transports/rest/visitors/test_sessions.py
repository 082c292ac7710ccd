"""`conversations.transports.rest.visitors.sessions`: how a page meets an agent and gets a token."""

import pytest

from tests.asgi import ask
from tests.conversations.parts import QUICK
from tests.conversations.transports.rights import API, SHOP

pytestmark = pytest.mark.usefixtures("services", "agent")


async def test_a_page_that_the_agent_allows_gets_a_token(agent) -> None:
    status, told = await ask("GET", f"{API}/greeting", origin=SHOP)
    assert (status, told["slug"]) == (200, "helper")
    status, session = await ask("POST", f"{API}/visitor-sessions", origin=SHOP)
    assert (status, session["agent"]["id"]) == (201, agent.id)
    assert session["visitorId"].startswith("anon:")
    token = session["token"]
    status, told = await ask("POST", f"{API}/chat", {"message": QUICK}, token=token, origin=SHOP)
    assert (status, told["content"]) == (200, "Hello there")


async def test_a_renewed_token_is_of_the_same_visitor() -> None:
    _, first = await ask("POST", f"{API}/visitor-sessions", origin=SHOP)
    body = {"renew": first["token"]}
    status, second = await ask("POST", f"{API}/visitor-sessions", body, origin=SHOP)
    assert (status, second["visitorId"]) == (201, first["visitorId"])


@pytest.mark.parametrize("method_and_path", ["GET greeting", "POST visitor-sessions"])
async def test_another_page_is_refused_and_may_read_why(method_and_path) -> None:
    method, path = method_and_path.split()
    status, told = await ask(method, f"{API}/{path}", origin="https://other.example")
    assert (status, told["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("body", [{"renew": "nonsense"}, {"identity": "nonsense"}])
async def test_a_word_of_nobody_is_no_visitor(body) -> None:
    status, told = await ask("POST", f"{API}/visitor-sessions", body, origin=SHOP)
    assert (status, told["error"]["code"]) == (401, "invalid_token")


async def test_an_agent_that_is_not_there_greets_nobody() -> None:
    status, told = await ask("GET", "/a/missing/api/greeting", origin=SHOP)
    assert (status, told["error"]["code"]) == (404, "agent_not_found")
