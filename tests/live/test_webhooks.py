"""Webhooks over the API and from a real server to a receiver on this machine."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.live.belongings import master_key
from tests.live.clients import Rest
from tests.live.server import Server
from tests.webhooks.receiver import SOON, Receiver, receiving

SETTINGS = {"CLAW_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8"}
ASKED = {"message": "go [[upstream tokens=3]]"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def shop(server: Server) -> AsyncIterator[Rest]:
    """An organisation of its own, with an agent."""
    name = f"org-{uuid4().hex[:8]}"
    server.manage("create_org", name)
    async with Rest(server.url, master_key(server, name)) as client:
        await client.post("/api/agents", {"name": "Helper", "provider": "anthropic"})
        yield client


async def made(shop: Rest, url: str, *events: str) -> dict[str, str]:
    answer = await shop.post("/api/webhooks", {"url": url, "events": events or ["run:completed"]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_it_works(shop: Rest, receiver: Receiver) -> None:
    hook = await made(shop, receiver.url, "run:started", "run:completed")
    answer = (await shop.post("/api/chat", ASKED)).json()
    await receiver.got(2)
    messages = {
        each["type"]: each for each in (receiver.verified(hook["secret"], n) for n in (0, 1))
    }
    assert set(messages) == {"run:started", "run:completed"}
    completed = messages["run:completed"]["data"]
    assert (completed["run"]["id"], completed["result"]["status"]) == (answer["runId"], "completed")
    assert "excerpt" not in completed["result"]
    assert "secret" not in (await shop.get(f"/api/webhooks/{hook['id']}")).json()


async def test_the_log_of_deliveries_and_a_replay(shop: Rest, receiver: Receiver) -> None:
    hook = await made(shop, receiver.url)
    path = f"/api/webhooks/{hook['id']}"
    sent = await shop.post(f"{path}/test")
    assert (sent.status_code, sent.json()["status"]) == (202, "pending")
    await receiver.got(1)
    log = f"{path}/deliveries"
    async with asyncio.timeout(SOON):
        while True:
            (found,) = (await shop.get(log)).json()["deliveries"]
            if found["status"] != "pending":
                break
            await asyncio.sleep(0.05)
    assert (found["status"], found["responseStatus"], found["attempts"]) == ("delivered", 200, 1)
    assert (await shop.post(f"{log}/{found['id']}/replay")).status_code == 202
    first, second = await receiver.got(2)
    assert first[0]["webhook-id"] == second[0]["webhook-id"] == found["id"]
    assert first[1] == second[1]


async def test_a_rotation_shows_a_new_secret_and_both_sign(shop: Rest, receiver: Receiver) -> None:
    hook = await made(shop, receiver.url)
    path = f"/api/webhooks/{hook['id']}"
    secret = (await shop.post(f"{path}/rotate")).json()["secret"]
    assert secret != hook["secret"]
    await shop.post(f"{path}/test")
    await receiver.got(1)
    for each in (secret, hook["secret"]):
        assert receiver.verified(each)["type"] == "webhook:test"


async def test_a_disabled_one_is_sent_what_happens_after_it_is_enabled(
    shop: Rest, receiver: Receiver
) -> None:
    hook = await made(shop, receiver.url)
    path = f"/api/webhooks/{hook['id']}"
    await shop.request("PATCH", path, json={"enabled": False})
    async with receiving() as other:
        await made(shop, other.url)
        await shop.post("/api/chat", ASKED)
        await other.got(1)
    enabled = await shop.request("PATCH", path, json={"enabled": True})
    assert enabled.json()["enabled"]
    answer = (await shop.post("/api/chat", ASKED)).json()
    await receiver.got(1)
    assert receiver.verified(hook["secret"])["data"]["run"]["id"] == answer["runId"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://10.1.2.3/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"events": ["run:progress"]}, "events"),
        ({"events": []}, "events"),
    ],
)
async def test_p28_what_no_webhook_can_be_is_refused(
    shop: Rest, fields: dict[str, object], field: str
) -> None:
    given = {"url": "https://example.com/", "events": ["run:error"], **fields}
    error = (await shop.post("/api/webhooks", given)).json()["error"]
    assert (error["code"], error["details"]["field"]) == ("invalid_message", field)


async def test_p7_twenty_at_once_with_one_idempotency_key_make_one(shop: Rest) -> None:
    body = {"url": "https://example.com/", "events": ["run:error"]}
    headers = {"Idempotency-Key": uuid4().hex}
    answers = await asyncio.gather(
        *(shop.request("POST", "/api/webhooks", json=body, headers=headers) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert sum("secret" in answer.json() for answer in answers) == 1
    assert len((await shop.get("/api/webhooks")).json()["webhooks"]) == 1


async def test_a_key_without_the_scope_sees_none(rest: Rest) -> None:
    assert (await rest.get("/api/webhooks")).status_code == 403
