"""`webhooks.deliverer`: from what waits to what was taken, against receivers on loopback."""

import asyncio
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.models import Membership, Organization, User
from core.database import database_step
from tests.webhooks.conftest import claimed, waiting
from tests.webhooks.receiver import SOON, receiving
from webhooks import deliverer as module
from webhooks import sending
from webhooks.access import webhooks as access
from webhooks.deliverer import Deliverer
from webhooks.models import Delivery, Webhook


async def reloaded(row):
    return await database_step(type(row).objects.get, pk=row.pk)


async def settled(row):
    """The delivery, once its first attempt is stored."""
    async with asyncio.timeout(SOON):
        while not (now := await reloaded(row)).attempts:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return now


@pytest.fixture
async def deliverer(private):
    working = Deliverer()
    working.start()
    yield working
    await working.stop()


async def test_it_works(hook, deliverer):
    async with receiving() as receiver:
        webhook = await database_step(hook, receiver.url)
        (delivery,) = await database_step(waiting, webhook)
        now = await settled(delivery)
    assert (now.status, now.attempts, now.response_status, now.error) == ("delivered", 1, 200, "")
    assert receiver.requests[0][0]["webhook-id"] == delivery.pk
    assert receiver.verified(webhook.secret) == {"type": "run:completed"}


async def test_after_a_rotation_both_secrets_verify_until_the_overlap_is_over(hook, private):
    async with receiving() as receiver:
        webhook = await database_step(hook, receiver.url)
        old = webhook.secret
        await database_step(access.rotate, webhook, timedelta(hours=1))
        await database_step(waiting, webhook)
        await Deliverer().deliver(await claimed(webhook))
        for secret in (old, webhook.secret):
            receiver.verified(secret)
        past = timezone.now() - timedelta(seconds=1)
        rows = Webhook.objects.filter(pk=webhook.pk)
        await database_step(rows.update, previous_until=past, free_at=past)
        await database_step(waiting, webhook)
        await Deliverer().deliver(await claimed(webhook))
        receiver.verified(webhook.secret, 1)
        with pytest.raises(WebhookVerificationError):
            receiver.verified(old, 1)


async def test_what_fails_is_tried_again_later_under_its_id(hook, deliverer):
    async with receiving("500 No", "200 OK") as receiver:
        webhook = await database_step(hook, receiver.url)
        (delivery,) = await database_step(waiting, webhook)
        now = await settled(delivery)
        assert (now.status, now.error, now.response_status) == ("pending", "server_error", 500)
        assert now.due_at > timezone.now() + timedelta(seconds=2)
        assert (await reloaded(webhook)).failing_since is not None
        await database_step(Webhook.objects.update, free_at=timezone.now())
        await database_step(Delivery.objects.update, due_at=timezone.now())
        first, second = await receiver.got(2)
    assert first[0]["webhook-id"] == second[0]["webhook-id"] == delivery.pk


async def test_a_receiver_that_hangs_keeps_no_other_waiting(hook, private, monkeypatch):
    """More deliveries wait for it than there are turns."""
    monkeypatch.setattr(module, "MAX_TURNS", 2)
    async with receiving(None) as dead, receiving() as well:
        hanging = await database_step(hook, dead.url)
        await database_step(waiting, hanging, 50)
        answering = await database_step(hook, well.url)
        await database_step(waiting, answering, 30)
        working = Deliverer()
        working.start()
        try:
            await well.got(30)
            assert len(dead.requests) <= 10
        finally:
            await working.stop()


async def test_one_that_fails_is_tried_with_one_delivery_at_a_time(hook, private, monkeypatch):
    monkeypatch.setattr(sending, "MAX_SECONDS", 0.5)
    async with receiving(None) as dead:
        webhook = await database_step(hook, dead.url)
        await database_step(waiting, webhook, 30)
        await Deliverer().deliver(await claimed(webhook))
        assert len(dead.requests) == 10
        past = timezone.now() - timedelta(seconds=1)
        await database_step(Webhook.objects.update, free_at=past)
        rest = await Deliverer().deliver(await claimed(webhook))
        assert len(dead.requests) == 11
    assert rest >= timedelta(seconds=4)


@pytest.fixture
def people(acme: Organization):
    """An owner, and a viewer whom it does not concern."""
    for role in ("owner", "viewer"):
        user = User.objects.create_user(f"{role}@acme.example")
        Membership.objects.create(organization=acme, user=user, role=role)


async def test_one_that_fails_for_a_day_is_disabled_and_its_owners_are_told(hook, private, people):
    async with receiving("500 No") as receiver:
        webhook = await database_step(hook, receiver.url)
        (delivery,) = await database_step(waiting, webhook)
        begun = timezone.now() - timedelta(hours=25)
        await database_step(Webhook.objects.update, failing_since=begun)
        await Deliverer().deliver(await claimed(webhook))
    now = await reloaded(webhook)
    assert (now.enabled, now.disabled_reason) == (False, "Every attempt of 24 hours has failed.")
    assert (await reloaded(delivery)).status == "failed"
    (sent,) = mail.outbox
    assert sent.to == ["owner@acme.example"]
    assert receiver.url in sent.body


async def test_an_address_that_is_gone_is_sent_nothing_more(hook, private, people):
    async with receiving("410 Gone") as receiver:
        webhook = await database_step(hook, receiver.url)
        await database_step(waiting, webhook)
        await Deliverer().deliver(await claimed(webhook))
    assert not (await reloaded(webhook)).enabled
    assert not await database_step(Delivery.objects.filter(status="pending").exists)
    assert len(mail.outbox) == 1


async def test_p28_an_address_that_leads_into_our_network_is_refused(hook, settings):
    async with receiving() as receiver:
        webhook = await database_step(hook, receiver.url)
        (delivery,) = await database_step(waiting, webhook)
        settings.CLAW_ALLOW_PRIVATE_NETWORKS = []
        await Deliverer().deliver(await claimed(webhook))
    assert (await reloaded(delivery)).error == "address_refused"
    assert receiver.requests == []


async def test_a_process_that_stops_gives_its_webhooks_back(hook, private):
    async with receiving(None) as receiver:
        webhook = await database_step(hook, receiver.url)
        (delivery,) = await database_step(waiting, webhook)
        working = Deliverer()
        working.start()
        await receiver.got(1)
        await working.stop()
    now = await reloaded(webhook)
    assert now.free_at < timezone.now() + timedelta(seconds=10)
    assert (await reloaded(delivery)).attempts == 0
