"""`conversations.transports.rest.monitoring.alerts`: who sets and reads the rules of alerts."""

import pytest

from agents.auth import keys
from core.database import database_step
from tests.asgi import ask

pytestmark = pytest.mark.usefixtures("services", "agent")

PATH = "/api/alert-rules"
RULE = {"name": "Errors", "metric": "error_rate", "threshold": 0.5}
MONITORING = ["monitor:read", "monitor:write"]


@pytest.fixture
def manager(acme) -> str:
    """A key of acme that sets alert rules."""
    return keys.create_key(acme, name="m", scopes=MONITORING)[1]


async def test_a_rule_is_made_changed_and_deleted(manager) -> None:
    status, made = await ask("POST", PATH, RULE | {"agentIds": ["helper"]}, token=manager)
    assert (status, made["threshold"], len(made["agentIds"])) == (201, 0.5, 1)
    path = f"{PATH}/{made['id']}"
    status, told = await ask("PATCH", path, {"threshold": 0.9}, token=manager)
    assert (status, told["threshold"], told["id"]) == (200, 0.9, made["id"])
    assert (await ask("GET", PATH, token=manager))[1]["rules"] == [told]
    assert (await ask("GET", "/api/alerts?open=true", token=manager))[1]["alerts"] == []
    assert (await ask("DELETE", path, token=manager))[0] == 204
    assert (await ask("GET", path, token=manager))[0] == 404


@pytest.mark.parametrize(
    "fields", [{"metric": "luck"}, {"agentIds": ["spy"]}, {"windowSeconds": 4}]
)
async def test_a_rule_about_nothing_is_refused(manager, foreign_agent, fields) -> None:
    status, told = await ask("POST", PATH, RULE | fields, token=manager)
    assert (status, told["error"]["code"]) == (400, "invalid_message")


async def test_p24_a_rule_of_others_does_not_exist(manager, globex, key) -> None:
    _, made = await ask("POST", PATH, RULE, token=manager)
    _, other = await database_step(keys.create_key, globex, name="o", scopes=MONITORING)
    for method in ("GET", "PATCH", "DELETE"):
        path = f"{PATH}/{made['id']}"
        assert (await ask(method, path, token=other))[0] == 404
        assert (await ask(method, path, token=key[1]))[0] == 403
