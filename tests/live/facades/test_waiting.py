"""An agent that waits for a person, asked by clients of OpenAI: they are told, and do not hang."""

from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI

from tests.live.clients import Rest
from tests.live.facades.openai_client import opened
from tests.live.server import Server
from tests.live.test_management import manager

MODEL = "acme-agent"
AGENT = {
    "provider": "demo",
    "tools": [{"builtin": "calculator", "approval": "always"}, {"builtin": "ask_user"}],
}


@pytest.fixture
async def key(server: Server) -> str:
    """A key of acme, whose agent asks before it acts."""
    key = manager(server, "acme", "chat,conversations:read,agents:write,runs:approve")
    async with Rest(server.url, key) as rest:
        changed = await rest.request("PATCH", f"/api/agents/{MODEL}", json=AGENT)
        assert changed.status_code == 200, changed.text
    return key


@pytest.fixture
async def client(server: Server, key: str) -> AsyncIterator[AsyncOpenAI]:
    async with opened(server.url, key) as client:
        yield client


@pytest.mark.parametrize("line", ["/approve", "/ask"])
async def test_a_stream_of_chat_completions_ends_with_the_error(
    client: AsyncOpenAI, server: Server, key: str, line: str
) -> None:
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": f"{line}\n/delay 0"}], stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        async for chunk in stream:
            run_id = chunk.id.replace("chatcmpl-", "run_")
    assert caught.value.code == "decision_required"
    async with Rest(server.url, key) as rest:  # it is not cancelled with the connection
        assert (await rest.get(f"/api/runs/{run_id}")).json()["status"] == "waiting"


async def test_a_stream_of_a_response_ends_and_goes_on_after_the_decision(
    client: AsyncOpenAI, server: Server, key: str
) -> None:
    stream = await client.responses.create(model=MODEL, input="/approve\n/delay 0", stream=True)
    events = [event async for event in stream]
    assert (events[-1].type, events[-1].code) == ("error", "decision_required")
    numbers = [event.sequence_number for event in events]
    assert numbers == [*range(len(events))]
    response = events[0].response.id
    run_id = response.replace("resp_", "run_")
    async with Rest(server.url, key) as rest:
        (call,) = (await rest.waiting(run_id))["pending"]
        verdict = {"argsDigest": call["argsDigest"], "approve": True}
        await rest.post(f"/api/runs/{run_id}/approvals/{call['id']}", json=verdict)
    rest_of_it = await client.responses.retrieve(
        response, stream=True, starting_after=numbers[-1] - 1
    )
    later = [event async for event in rest_of_it]
    assert later[-1].type == "response.completed"
    assert "42" in later[-1].response.output_text
