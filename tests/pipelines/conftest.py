"""Pipelines of acme, on this machine."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from accounts.models import Organization
from pipelines.access import pipelines as access
from pipelines.models import Pipeline


@pytest.fixture
def private(settings: Any) -> None:
    """Lets this server deliver to the one machine that tests have."""
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def made(acme: Organization, private: None) -> Callable[..., Pipeline]:
    """Makes a pipeline of acme that runs: `made(url, *transforms)`."""

    def make(url: str = "http://127.0.0.1:9/", *transforms: Any, **fields: Any) -> Pipeline:
        policy = {"maxRetries": 2, "backoffMs": 10}
        config = {"url": url, "retryPolicy": policy}
        values = {
            "name": "Ours",
            "source": {"type": "webhook"},
            "transforms": list(transforms),
            "destinations": [{"type": "webhook", "config": config}],
            **fields,
        }
        row = access.create(acme.pk, values)
        access.start(row)
        return row

    return make
