"""`webhooks.access.queue`: each webhook is one process's, and each delivery ends."""

from datetime import timedelta

from django.utils import timezone

from tests.webhooks.conftest import waiting
from webhooks.access import queue
from webhooks.models import Delivery, Webhook
from webhooks.retries import DELAYS
from webhooks.sending import Outcome

FAILED, TAKEN = Outcome(500, "server_error", 1), Outcome(200, "", 1)


def test_it_works(hook):
    webhook = hook()
    assert queue.claim() is None
    (delivery,) = waiting(webhook)
    claimed = queue.claim()
    assert claimed == webhook
    assert queue.due(claimed) == [delivery]
    assert not queue.settle(claimed, [(delivery, TAKEN)])
    assert queue.due(claimed) == []
    assert Delivery.objects.get().status == "delivered"


def test_a_webhook_is_claimed_once_and_again_when_its_process_has_died(hook):
    webhook = hook()
    waiting(webhook)
    first = queue.claim()
    assert queue.claim() is None
    Webhook.objects.update(free_at=timezone.now() - timedelta(seconds=1))
    second = queue.claim()
    assert second == webhook
    assert queue.due(first) == []  # the first one has lost it
    queue.release(first, timedelta(hours=1))
    assert len(queue.due(second)) == 1


def test_a_delivery_has_failed_after_its_last_attempt(hook):
    webhook = hook()
    (delivery,) = waiting(webhook)
    for _ in DELAYS:
        queue.settle(webhook, [(delivery, FAILED)])
        assert Delivery.objects.get().status == "pending"
    queue.settle(webhook, [(delivery, FAILED)])
    assert (Delivery.objects.get().status, Delivery.objects.get().attempts) == ("failed", 9)


def test_one_message_that_is_refused_does_not_make_a_webhook_fail(hook):
    webhook = hook()
    poison, fine = waiting(webhook, 2)
    queue.settle(webhook, [(poison, FAILED), (fine, TAKEN)])
    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_the_log_of_a_week_is_kept_and_what_waits_is_never_forgotten(hook):
    webhook = hook()
    old, recent, unsent = waiting(webhook, 3)
    Delivery.objects.exclude(pk=unsent.pk).update(status="delivered")
    Delivery.objects.exclude(pk=recent.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert queue.trim()
    assert not queue.trim()
    assert set(Delivery.objects.all()) == {recent, unsent}
    assert old.pk
