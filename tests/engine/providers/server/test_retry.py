import pytest

from engine.errors import ProviderError
from engine.providers.base import Delta, Sink, TextDelta
from engine.providers.server import retry
from engine.providers.server.refusals.faults import fault
from engine.providers.server.retry import retrying, wait_before


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)


class Attempts:
    """What each attempt does: passes on a text, or raises an error."""

    def __init__(self, *outcomes: list[str | ProviderError]) -> None:
        self.outcomes = list(outcomes)
        self.made = 0

    async def __call__(self, sink: Sink) -> None:
        self.made += 1
        for outcome in self.outcomes[self.made - 1]:
            if isinstance(outcome, ProviderError):
                raise outcome
            sink([TextDelta([outcome])])


BUSY = fault("upstream_overloaded", "busy")


async def run(attempts: Attempts) -> list[list[Delta]]:
    seen: list[list[Delta]] = []
    await retrying(attempts, seen.append)
    return seen


async def test_it_works() -> None:
    attempts = Attempts([BUSY], [BUSY], ["a", "b"])
    assert await run(attempts) == [[TextDelta(["a"])], [TextDelta(["b"])]]


@pytest.mark.parametrize(
    ("outcomes", "made"),
    [
        ([[BUSY], [BUSY], [BUSY], ["never"]], 3),
        ([["begun", BUSY], ["never"]], 1),
        ([[fault("upstream_error", "bad request", retryable=False)], ["never"]], 1),
        ([[fault("upstream_timeout", "waited long enough")], ["never"]], 1),
        ([[fault("upstream_overloaded", "", retry_after=6000)], ["never"]], 1),
        ([[fault("upstream_overloaded", "", retry_after=5001)], ["never"]], 1),
    ],
)
async def test_when_it_gives_up(outcomes: list[list[str | ProviderError]], made: int) -> None:
    attempts = Attempts(*outcomes)
    with pytest.raises(ProviderError):
        await run(attempts)
    assert attempts.made == made


def test_pauses_grow_and_differ_and_obey_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.5)
    first, second = ([wait_before(n, BUSY) for _ in range(50)] for n in (0, 1))
    assert all(0.25 <= wait <= 0.5 for wait in first)
    assert all(0.5 <= wait <= 1 for wait in second)
    assert len(set(first)) > 1
    assert wait_before(0, fault("upstream_overloaded", "", retry_after=3000)) == 3


@pytest.mark.parametrize("named", [None, 0])
async def test_an_overload_says_when_to_come_back(named: int | None) -> None:
    """Also where the server names no time, or none that is left."""
    busy = fault("upstream_overloaded", "busy", retry_after=named)
    attempts = Attempts([busy], [busy], [busy])
    with pytest.raises(ProviderError) as caught:
        await run(attempts)
    assert (caught.value.retry_after, attempts.made) == (retry.COME_BACK, 3)
