"""`conversations.feed.alerts`: from a broken rule to the feed, mails and webhooks."""

import asyncio
import json
from ipaddress import ip_network
from typing import Any

import pytest
from django.core import mail

from agents.caller import Caller
from alerts.access import rules
from alerts.models import Alert, AlertRule, Notice
from conversations.feed.alerts import AlertWatcher
from conversations.feed.watch import Watch
from core.database import database_step
from tests.agents.callers import having
from tests.conversations.feed.told import SOON, Told
from tests.conversations.parts import ask
from webhooks.access import webhooks
from webhooks.models import Delivery


@pytest.fixture
def watcher(told: Told) -> AlertWatcher:
    return AlertWatcher(told.feed)


async def made(caller: Caller, **fields: Any) -> AlertRule:
    base = {"name": "Busy", "metric": "runs", "threshold": 0}
    organization_id = caller.principal.organization_id
    return await database_step(rules.create, organization_id, base | fields)


async def events(told: Told, organization_id: str, count: int) -> list[dict[str, Any]]:
    """The first messages of the feed about alerts."""
    found: list[dict[str, Any]] = []
    async with told.feed.follow(organization_id, told._begin) as follower:
        async with asyncio.timeout(SOON):
            while len(found) < count:
                kept = await follower.next(SOON)
                found += [json.loads(one.event.data) for one in kept]
    return [each for each in found if each["type"].startswith("alert:")]


async def turn(watcher: AlertWatcher) -> None:
    await database_step(AlertRule.objects.update, due_at="2026-01-01T00:00:00Z")
    await watcher.look()
    await watcher.tell()


async def test_it_works(watcher: AlertWatcher, told: Told, caller: Caller) -> None:
    rule = await made(caller, emails=["ada@example.com"])
    await turn(watcher)
    assert not await database_step(Alert.objects.exists)
    await database_step(ask, caller)
    await turn(watcher)
    await turn(watcher)
    monitor = having(caller, scopes=frozenset({"monitor:read"})).principal
    _, state = await Watch(monitor, frozenset(), None, None).state(told.feed, [])
    assert [each.rule_id for each in state.alerts] == [rule.pk]
    await database_step(rules.delete, rule.organization_id, rule.pk)
    await turn(watcher)
    begun, ended = await events(told, rule.organization_id, 2)
    assert (begun["type"], ended["type"]) == ("alert:triggered", "alert:resolved")
    assert begun["alert"]["value"] == 1 and begun["alert"]["unit"] == "runs"
    assert begun["alert"]["resolvedAt"] is None and ended["alert"]["resolvedAt"]
    assert [each.subject for each in mail.outbox] == ["Alert: Busy", "Resolved: Busy"]
    assert not await database_step(Notice.objects.exists)
    _, state = await Watch(monitor, frozenset(), None, None).state(told.feed, [])
    assert state.alerts == []


async def test_a_webhook_of_the_rule_is_sent_each_alert_once(
    watcher: AlertWatcher, told: Told, caller: Caller, settings: Any
) -> None:
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    organization_id = caller.principal.organization_id

    def hooks() -> list[str]:
        url = "http://127.0.0.1:9/"
        types = (["run:completed"], ["alert:triggered"])  # the feed tells the second one
        return [webhooks.create(organization_id, url, each, told._begin).pk for each in types]

    ids = await database_step(hooks)
    await made(caller, webhooks=[*ids, "hook_that_was_deleted"])
    await database_step(ask, caller)
    await turn(watcher)
    delivery = await database_step(Delivery.objects.get)
    assert delivery.webhook_id == ids[0]
    assert json.loads(delivery.body)["data"]["alert"]["name"] == "Busy"


async def test_a_mail_that_cannot_be_sent_is_tried_again(
    watcher: AlertWatcher, caller: Caller, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    await made(caller, emails=["ada@example.com"])
    await database_step(ask, caller)
    await turn(watcher)
    notice = await database_step(Notice.objects.get)
    assert (notice.kind, notice.attempts) == ("mail", 1)
    assert "is tried again: unavailable" in caplog.text
