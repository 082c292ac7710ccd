"""Rules of acme."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Organization
from alerts.access import rules
from alerts.models import AlertRule


@pytest.fixture
def rule(acme: Organization) -> Callable[..., AlertRule]:
    """Makes a rule of acme: `rule(threshold=5)`."""

    def make(**fields: Any) -> AlertRule:
        return rules.create(acme.pk, {"name": "Cost", "metric": "cost", "threshold": 1} | fields)

    return make
