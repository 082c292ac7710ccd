"""`webhooks.access.webhooks`: an organisation's own, within bounds."""

import pytest

from engine.errors import ClawError
from tests.webhooks.conftest import waiting
from webhooks.access import webhooks as access
from webhooks.models import Delivery

TYPES = ["run:completed"]


def test_it_works(acme, hook):
    webhook = hook()
    assert access.webhook(acme.pk, webhook.pk) == webhook
    assert webhook.secret.startswith("whsec_")
    access.change(webhook, "e.1", url="http://127.0.0.1:8/")
    assert access.webhook(acme.pk, webhook.pk).url == "http://127.0.0.1:8/"


def test_p24_another_organisation_finds_nothing(globex, hook):
    webhook = hook()
    with pytest.raises(ClawError) as refused:
        access.webhook(globex.pk, webhook.pk)
    assert refused.value.code == "not_found"
    assert list(access.webhooks_of(globex.pk)) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "https://user@example.com/",
        "ftp://example.com/",
        "https://[::1]/",
        "https://example.com/#part",
        "x",
    ],
)
def test_p28_an_address_that_nobody_should_connect_to_is_refused(acme, url):
    with pytest.raises(Exception, match=r"public address|fragment"):
        access.create(acme.pk, url, TYPES, "e.0")


def test_an_organisation_has_a_bounded_number(acme, hook, monkeypatch):
    monkeypatch.setattr(access, "MAX_WEBHOOKS", 1)
    hook()
    with pytest.raises(ClawError, match="at most 1"):
        hook()


def test_a_delivery_is_replayed_under_its_id_with_all_attempts(hook):
    webhook = hook()
    (delivery,) = waiting(webhook)
    Delivery.objects.update(status="failed", attempts=9)
    access.replay(webhook, access.delivery(webhook, delivery.pk))
    assert list(Delivery.objects.values_list("pk", "status", "attempts")) == [
        (delivery.pk, "pending", 0)
    ]


def test_one_that_is_disabled_takes_nothing(hook):
    webhook = hook()
    (delivery,) = waiting(webhook)
    access.change(webhook, "e.1", enabled=False)
    for refused in (lambda: access.replay(webhook, delivery), lambda: waiting(webhook)):
        with pytest.raises(ClawError, match="disabled"):
            refused()


def test_everything_of_an_organisation_is_erased_in_steps(acme, globex, hook, monkeypatch):
    monkeypatch.setattr(access, "MAX_ERASED", 2)
    webhook = hook()
    waiting(webhook, 3)
    assert not access.erase_some(globex.pk)
    assert [access.erase_some(acme.pk) for _ in range(3)] == [True, True, False]
