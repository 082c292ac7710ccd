"""`webhooks.access.positions`: every event becomes one delivery for each webhook that wants it."""

from webhooks.access import positions
from webhooks.access import webhooks as access
from webhooks.models import Delivery, Webhook

DONE, BEGUN = ("run:completed", '{"n":1}'), ("run:started", '{"n":2}')


def test_it_works(acme, hook):
    webhook = hook()
    assert positions.positions() == [(acme.pk, "e.0")]
    assert positions.advance(acme.pk, "e.0", "e.2", [BEGUN, DONE]) == []
    assert positions.positions() == [(acme.pk, "e.2")]
    (delivery,) = Delivery.objects.all()
    assert (delivery.webhook, delivery.type, delivery.body) == (webhook, *DONE)


def test_of_two_processes_that_read_the_same_one_stores_it(acme, hook):
    hook()
    for _ in range(2):
        positions.advance(acme.pk, "e.0", "e.1", [DONE])
    assert Delivery.objects.count() == 1


def test_an_organisation_whose_webhooks_are_disabled_is_not_read(acme, hook):
    webhook = hook()
    access.change(webhook, "e.1", enabled=False)
    assert positions.positions() == []
    access.change(webhook, "e.9", enabled=True)
    assert positions.positions() == [(acme.pk, "e.9")]


def test_a_second_webhook_does_not_move_the_first_ones_place(acme, hook):
    hook()
    access.create(acme.pk, "http://127.0.0.1:9/", ["run:error"], "e.7")
    assert positions.positions() == [(acme.pk, "e.0")]


def test_a_webhook_for_which_too_much_waits_is_disabled(acme, hook, monkeypatch):
    monkeypatch.setattr(positions, "MAX_WAITING", 2)
    webhook = hook()
    positions.advance(acme.pk, "e.0", "e.1", [DONE, DONE, DONE])
    assert positions.advance(acme.pk, "e.1", "e.2", [DONE]) == [webhook]
    assert not Webhook.objects.get().enabled
    assert set(Delivery.objects.values_list("status", "error")) == {("failed", "disabled")}
