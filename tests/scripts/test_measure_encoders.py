"""What a token costs in each protocol."""

from scripts.measure_encoders import PROTOCOLS, batches, measure
from wire.encoder import ENCODERS


def test_it_works() -> None:
    assert set(PROTOCOLS) <= ENCODERS.keys()
    costs = measure(tokens=20, rounds=1)
    assert costs.keys() == set(PROTOCOLS) and all(cost > 0 for cost in costs.values())


def test_each_token_comes_alone() -> None:
    assert [len(lines) for _, lines, _ in batches(3)] == [1, 1, 1]
