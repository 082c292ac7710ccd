"""`conversations.transports.rest.monitoring.webhooks`: where events are sent to."""

import pytest

from agents.auth import keys
from core.database import database_step
from tests.asgi import ask

pytestmark = pytest.mark.usefixtures("services", "agent")

PATH = "/api/webhooks"
HOOK = {"url": "https://hooks.example/claw", "events": ["run:completed"]}


@pytest.fixture
def admin(acme) -> str:
    return keys.create_key(acme, name="a", scopes=["chat", "admin"])[1]


async def test_the_secret_is_shown_once(admin) -> None:
    status, made = await ask("POST", PATH, HOOK, token=admin)
    assert (status, made["url"], made["enabled"]) == (201, HOOK["url"], True)
    assert made["secret"].startswith("whsec_")
    path = f"{PATH}/{made['id']}"
    status, found = await ask("GET", path, token=admin)
    assert status == 200 and "secret" not in found
    status, told = await ask("PATCH", path, {"enabled": False}, token=admin)
    assert (status, told["enabled"]) == (200, False)
    assert (await ask("DELETE", path, token=admin))[0] == 204
    assert (await ask("GET", path, token=admin))[0] == 404


@pytest.mark.parametrize(
    "fields", [{"url": "ftp://hooks.example"}, {"url": "nonsense"}, {"events": []}]
)
async def test_an_address_or_event_that_is_none_is_refused(admin, fields) -> None:
    status, told = await ask("POST", PATH, HOOK | fields, token=admin)
    assert (status, told["error"]["code"]) == (400, "invalid_message")


async def test_p24_a_webhook_of_others_does_not_exist(admin, globex, key) -> None:
    _, made = await ask("POST", PATH, HOOK, token=admin)
    _, other = await database_step(keys.create_key, globex, name="b", scopes=["chat", "admin"])
    for method in ("GET", "PATCH", "DELETE"):
        path = f"{PATH}/{made['id']}"
        assert (await ask(method, path, token=other))[0] == 404
        assert (await ask(method, path, token=key[1]))[0] == 403
