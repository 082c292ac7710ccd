"""`conversations.feed.outbox`: from the feed to the deliveries of webhooks."""

import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from agents.caller import Caller
from conversations.feed.base import Event, Phase
from conversations.feed.outbox import Outbox
from conversations.feed.watch import begin
from core.database import database_step
from tests.conversations.feed.told import Told
from webhooks.access import webhooks as access
from webhooks.models import Delivery, Position, Webhook

AT = "2026-11-30T02:40:00Z"
URL = "https://hooks.example/"


def event(type_: str, phase: Phase, subject: str = "run_1") -> Event:
    data = json.dumps({"type": type_, "at": AT, "runId": subject}).encode()
    return Event(type_, "agt_1", subject, phase, data)


LIFE = [
    event("run:started", Phase.OPENS),
    event("run:error", Phase.GOES_ON),
    event("run:completed", Phase.CLOSES),
]


@pytest.fixture
async def webhook(told: Told, caller: Caller) -> AsyncIterator[Webhook]:
    """One of the caller's organisation that wants to hear of two types."""
    organization_id = caller.principal.organization_id
    types = ["run:started", "run:completed"]
    cursor = await begin(told.feed, organization_id)
    yield await database_step(access.create, organization_id, URL, types, cursor)


async def deliveries() -> list[Delivery]:
    return await database_step(list, Delivery.objects.order_by("created_at"))


async def test_it_works(told: Told, webhook: Webhook) -> None:
    outbox = Outbox(told.feed)
    await told.feed.store.append(1, {webhook.organization_id: LIFE})
    assert not await outbox.read_on()
    assert not await outbox.read_on()
    started, completed = await deliveries()
    assert (started.type, completed.type) == ("run:started", "run:completed")
    assert msgspec.json.decode(completed.body) == {
        "type": "run:completed",
        "timestamp": AT,
        "data": {"type": "run:completed", "at": AT, "runId": "run_1"},
    }


async def test_what_happened_before_a_webhook_is_not_sent(told: Told, caller: Caller) -> None:
    organization_id = caller.principal.organization_id
    await told.feed.store.append(1, {organization_id: LIFE})
    cursor = await begin(told.feed, organization_id)
    await database_step(access.create, organization_id, URL, ["run:started"], cursor)
    await Outbox(told.feed).read_on()
    assert await deliveries() == []


async def test_all_of_a_long_feed_is_sent_in_groups(
    told: Told, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.feed.outbox.LIMIT", 3)
    opened = [event("run:started", Phase.OPENS, f"run_{number}") for number in range(8)]
    await told.feed.store.append(1, {webhook.organization_id: opened})
    outbox = Outbox(told.feed)
    assert [await outbox.read_on() for _ in range(3)] == [True, True, False]
    assert len(await deliveries()) == 8


async def test_a_reader_whose_place_is_lost_goes_on_with_what_comes(
    told: Told, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    await database_step(Position.objects.update, cursor="another.1")
    outbox = Outbox(told.feed)
    await outbox.read_on()
    assert "no longer kept" in caplog.text
    await told.feed.store.append(1, {webhook.organization_id: LIFE[:1]})
    await outbox.read_on()
    assert len(await deliveries()) == 1
