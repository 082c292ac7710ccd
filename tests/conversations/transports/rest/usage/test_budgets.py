"""`conversations.transports.rest.usage.budgets`: an administrator sets what may be spent."""

import pytest

from agents.auth import keys
from core.database import database_step
from tests.asgi import ask

pytestmark = pytest.mark.usefixtures("services", "agent")

PATH = "/api/budgets"


@pytest.fixture
def admin(acme) -> str:
    return keys.create_key(acme, name="a", scopes=["chat", "admin"])[1]


async def made(admin: str, **fields: object) -> dict[str, object]:
    body = {"scope": "organization", "amount": 5, **fields}
    status, told = await ask("POST", PATH, body, token=admin)
    assert status == 201, told
    return dict(told)


async def test_a_budget_is_made_changed_and_deleted(admin) -> None:
    budget = await made(admin)
    assert (budget["amount"], budget["spent"], budget["remaining"]) == (5, 0, 5)
    path = f"{PATH}/{budget['id']}"
    status, told = await ask("PATCH", path, {"amount": 7.5}, token=admin)
    assert (status, told["amount"], told["remaining"]) == (200, 7.5, 7.5)
    _, listed = await ask("GET", PATH, token=admin)
    assert [each["id"] for each in listed["budgets"]] == [budget["id"]]
    assert (await ask("DELETE", path, token=admin))[0] == 204
    assert (await ask("GET", path, token=admin))[0] == 404


async def test_a_budget_that_is_used_up_refuses_messages(admin) -> None:
    await made(admin, amount=None, tokens=1)
    status, told = await ask("POST", "/a/helper/api/chat", {"message": "Hi"}, token=admin)
    assert (status, told["error"]["code"]) == (402, "budget_exceeded")


@pytest.mark.parametrize(
    "fields",
    [{"amount": None}, {"amount": 1, "tokens": 1}, {"amount": -1}, {"scope": "king"}],
)
async def test_a_budget_of_nothing_is_refused(admin, fields) -> None:
    body = {"scope": "organization", "amount": 5, **fields}
    status, told = await ask("POST", PATH, body, token=admin)
    assert (status, told["error"]["code"]) == (400, "invalid_message")


async def test_p24_a_budget_of_others_does_not_exist(admin, globex, key) -> None:
    path = f"{PATH}/{(await made(admin))['id']}"
    _, other = await database_step(keys.create_key, globex, name="b", scopes=["chat", "admin"])
    for method in ("GET", "PATCH", "DELETE"):
        assert (await ask(method, path, token=other))[0] == 404
        assert (await ask(method, path, token=key[1]))[0] == 403
