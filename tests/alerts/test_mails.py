"""`alerts.mails`: what people read."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from alerts import mails
from alerts.access import due
from alerts.models import Alert, AlertRule


def test_it_works(rule: Callable[..., AlertRule], settings: Any) -> None:
    settings.CLAW_PUBLIC_URL = "https://claw.example"
    row = rule(name="Many\r\nerrors", metric="error_rate", threshold=0.05, severity="critical")
    due.settle(row, 0.125)
    alert = Alert.objects.get()
    mails.send(alert, "alert:triggered", "ada@example.com")
    due.settle(row, 0)
    mails.send(Alert.objects.get(), "alert:resolved", "ada@example.com")
    begun, ended = mail.outbox
    assert (begun.to, begun.subject) == (["ada@example.com"], "Alert: Many errors")
    assert "is 12.5 %, above 5 %, in the last 300 seconds" in begun.body
    assert "https://claw.example/console/acme/alerts/" in begun.body
    assert ended.subject == "Resolved: Many errors"


@pytest.mark.parametrize(
    "value, metric, words",
    [(0.5, "error_rate", "50 %"), (1234.5, "ttft_p95", "1234.5 ms"), (0.25, "cost", "0.25 USD")],
)
def test_values_have_their_units(value: float, metric: str, words: str) -> None:
    assert mails.amount(value, metric) == words
