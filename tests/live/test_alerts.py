"""Alert rules over the API, and an alert from a real server."""

import asyncio
from typing import Any

import pytest

from tests.live.clients import Rest

SOON = 30.0
ASKED = {"message": "go [[upstream mode=http status=400]]"}


async def made(manager: Rest, **fields: Any) -> dict[str, Any]:
    body = {"name": "Errors", "metric": "error_rate", "threshold": 0.5, "windowSeconds": 5}
    answer = await manager.post("/api/alert-rules", body | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_an_alert_begins_and_ends(manager: Rest, rest: Rest) -> None:
    rule = await made(manager)
    await rest.post("/api/chat", ASKED)
    async with asyncio.timeout(SOON):
        while not (found := (await manager.get("/api/alerts", open=1)).json()["alerts"]):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (found[0]["ruleId"], found[0]["value"], found[0]["unit"]) == (rule["id"], 1.0, "ratio")
    state = (await manager.get("/api/command-center/state")).json()
    assert [each["id"] for each in state["alerts"]] == [found[0]["id"]]
    async with asyncio.timeout(SOON):  # the window passes
        while (await manager.get("/api/alerts", open=1)).json()["alerts"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    (ended,) = (await manager.get("/api/alerts")).json()["alerts"]
    assert ended["resolvedAt"] is not None


async def test_a_rule_is_changed_and_deleted(manager: Rest) -> None:
    rule = await made(manager, agentIds=["acme-agent"], notify={"emails": ["ada@example.com"]})
    (agent,) = (await manager.get("/api/agents")).json()["agents"]
    assert rule["agentIds"] == [agent["id"]]
    path = f"/api/alert-rules/{rule['id']}"
    changed = await manager.request("PATCH", path, json={"threshold": 0.9, "resolveThreshold": 0.1})
    assert changed.json() == rule | {"threshold": 0.9, "resolveThreshold": 0.1}
    assert (await manager.get("/api/alert-rules")).json()["rules"][0] == changed.json()
    assert (await manager.request("DELETE", path)).status_code == 204
    assert (await manager.get(path)).status_code == 404


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"agentIds": ["nobody"]}, "agentIds"),
        ({"agentIds": ["\0"]}, "agentIds"),
        ({"notify": {"webhookIds": ["hook_of_another"]}}, "notify.webhookIds"),
        ({"notify": {"emails": ["ada"]}}, "emails"),
        ({"windowSeconds": 4}, "windowSeconds"),
        ({"metric": "luck"}, "metric"),
        ({"resolveThreshold": 0.6}, "resolveThreshold"),
    ],
)
async def test_what_makes_no_rule_is_refused(
    manager: Rest, fields: dict[str, Any], field: str
) -> None:
    body = {"name": "Errors", "metric": "error_rate", "threshold": 0.5}
    answer = await manager.post("/api/alert-rules", body | fields)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["details"]["field"] == field
