"""`pipelines.flow.metrics`: throughput and latency."""

import time

from pipelines.flow.metrics import Meter, throughput


def test_it_works():
    meter, now = Meter(), time.time()
    assert meter.latency().avg == 0
    for ago in (100, 200, 300):
        meter.done(round(now * 1000) - ago)
    found = meter.latency()
    assert 290 <= found.max < 60_000
    assert found.avg <= found.p95 <= found.max
    meter.arrived(120)
    assert throughput(meter.rates(), now) == 2.0
    assert throughput(meter.rates(), now + 3600) == 0
