"""Webhooks of acme, on this machine."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from accounts.models import Organization
from core.database import database_step
from webhooks.access import queue
from webhooks.access import webhooks as access
from webhooks.models import Delivery, Webhook

BODY = '{"type":"run:completed"}'


@pytest.fixture
def private(settings: Any) -> None:
    """Lets this server deliver to the one machine that tests have."""
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def hook(acme: Organization, private: None) -> Callable[..., Webhook]:
    """Makes a webhook of acme: `hook(url)`."""
    return lambda url="http://127.0.0.1:9/": access.create(acme.pk, url, ["run:completed"], "e.0")


def waiting(webhook: Webhook, count: int = 1) -> list[Delivery]:
    """Deliveries that are due now."""
    return [access.add_delivery(webhook, "run:completed", BODY) for _ in range(count)]


async def claimed(webhook: Webhook) -> Webhook:
    """The webhook, claimed by this process."""
    row = await database_step(queue.claim)
    assert row == webhook
    return row
