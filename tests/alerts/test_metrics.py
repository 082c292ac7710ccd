"""`alerts.metrics`: one list, wherever metrics are named."""

from typing import get_args

from alerts.metrics import UNITS, Metric
from conversations.access.measures import MEASURES
from wire.objects import alerts as objects


def test_it_works() -> None:
    assert set(Metric) == set(UNITS) == set(get_args(objects.Metric))
    assert set(MEASURES) == set(Metric) - {Metric.BUDGET}
