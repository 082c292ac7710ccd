"""`conversations.transports.rest.visitors.contact`: what is written to people reaches webhooks."""

import json

import pytest

from conversations.transports import admission
from core.database import database_step
from tests.asgi import ask
from webhooks.access import webhooks
from webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.usefixtures("services")

PATH = "/api/contact-messages"
WRITTEN = {"email": "ada@example.com", "message": "Call me.", "name": "Ada", "page": "https://a.b"}


@pytest.fixture
def hook(acme) -> Webhook:
    return webhooks.create(acme.pk, "https://example.com/hook", ["contact:message"], "e.0")


async def test_it_works(hook, agent, key) -> None:
    assert await ask("POST", PATH, WRITTEN, token=key[1]) == (204, None)
    delivery = await database_step(Delivery.objects.get)
    assert (delivery.webhook_id, delivery.type) == (hook.pk, "contact:message")
    data = json.loads(delivery.body)["data"]
    assert {name: data[name] for name in WRITTEN} == WRITTEN
    assert data["agentId"] == agent.id


async def test_where_no_webhook_takes_messages_it_is_said(hook, acme, key) -> None:
    await database_step(lambda: Webhook.objects.update(events=["run:completed"]))
    status, told = await ask("POST", PATH, WRITTEN, token=key[1])
    assert (status, told["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "ada"},
        {"email": "ada@example.com\nBcc: eve@example.com"},
        {"email": "a@b.c, eve@example.com"},
        {"message": ""},
        {"message": " "},
        {"message": "x" * 4001},
        {"name": "\0"},
        {"webhook": "https://example.com"},
    ],
)
async def test_what_is_no_message_is_refused(hook, key, wrong: dict[str, str]) -> None:
    status, told = await ask("POST", PATH, WRITTEN | wrong, token=key[1])
    assert (status, told["error"]["code"]) == (400, "invalid_message")
    assert await database_step(Delivery.objects.count) == 0


async def test_one_sender_writes_a_few_times_a_day(hook, key, monkeypatch) -> None:
    monkeypatch.setattr(admission, "LETTERS_OF_ONE", 2)
    statuses = [(await ask("POST", PATH, WRITTEN, token=key[1]))[0] for _ in range(3)]
    assert statuses == [204, 204, 429]
