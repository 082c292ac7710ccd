"""`conversations.transports.facade.response`: a run as a response, also without its events."""

import json
from typing import Any

import pytest

from agents.auth import keys
from core.database import database_step
from tests.asgi import Response, ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services", "agent")

RESPONSES = "/a/helper/v1/responses"


async def test_it_works(key) -> None:
    body = {"input": QUICK, "background": True, "metadata": {"case": "7"}}
    status, begun = await ask("POST", RESPONSES, body, token=key[1])
    assert (status, begun["status"], begun["model"]) == (200, "queued", "helper")
    async with Response("GET", f"{RESPONSES}/{begun['id']}?stream=true", token=key[1]) as stream:
        await stream.ended()
    *_, last = (line for line in stream.text.splitlines() if line.startswith("data: "))
    status, shown = await ask("GET", f"{RESPONSES}/{begun['id']}", token=key[1])
    assert json.loads(last.removeprefix("data: "))["response"] == shown
    assert (status, shown["status"], shown["metadata"]) == (200, "completed", {"case": "7"})


async def test_without_its_events_it_is_what_is_stored(services, key) -> None:
    """And its stream is gone: 410."""
    _, before = await ask("POST", RESPONSES, {"input": f"/think\n{QUICK}"}, token=key[1])
    await services.log.erase(before["id"].replace("resp_", "run_"))
    status, shown = await ask("GET", f"{RESPONSES}/{before['id']}", token=key[1])
    assert (status, shown) == (200, before | {"completed_at": None})
    status, gone = await ask("GET", f"{RESPONSES}/{before['id']}?stream=true", token=key[1])
    assert (status, gone["error"]["code"]) == (410, "history_expired")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?stream=perhaps", "stream"),
        ("?stream=true&starting_after=x", "starting_after"),
        ("/input_items?limit=0", "limit"),
        ("/input_items?order=asc", "order"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_its_name(key, query: str, field: str) -> None:
    _, made = await ask("POST", RESPONSES, {"input": QUICK}, token=key[1])
    status, refused = await ask("GET", f"{RESPONSES}/{made['id']}{query}", token=key[1])
    assert (status, refused["error"]["param"]) == (400, field)


async def test_a_key_of_several_agents_names_one(agent, second_agent) -> None:
    _, token = await database_step(keys.create_key, agent.organization, name="all")
    status, refused = await ask("POST", "/v1/responses", {"input": QUICK}, token=token)
    assert (status, refused["error"]["param"]) == (400, "model")
    body: dict[str, Any] = {"input": QUICK, "model": "second"}
    status, made = await ask("POST", "/v1/responses", body, token=token)
    assert (status, made["model"]) == (200, "second")
