"""`core.cache`: bounded in size and time."""

from core.cache import ExpiringCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(size: int = 3) -> tuple[ExpiringCache[str], Clock]:
    clock = Clock()
    return ExpiringCache(size=size, seconds=5, clock=clock), clock


def test_it_works():
    values, _ = cache()
    values.put("a", "A")

    assert values.get("a") == "A"
    assert values.get("b") is None


def test_a_value_ends_after_its_time():
    values, clock = cache()
    values.put("a", "A")

    clock.now = 4.9
    assert values.values() == ["A"]
    clock.now = 5.0
    assert values.get("a") is None
    assert values.values() == []


def test_the_least_recently_used_goes_first():
    values, _ = cache(size=2)
    values.put("a", "A")
    values.put("b", "B")
    values.get("a")
    values.put("c", "C")

    assert values.get("b") is None
    assert values.values() == ["A", "C"]


def test_what_matches_is_removed():
    values, _ = cache()
    values.put("a", "A")
    values.put("b", "B")
    values.remove(lambda value: value == "A")

    assert values.values() == ["B"]


async def test_what_is_not_there_is_loaded_once():
    values, _ = cache()
    loads = []

    async def load() -> str:
        loads.append("A")
        return "A"

    assert [await values.fetch("a", load) for _ in range(3)] == ["A"] * 3
    assert loads == ["A"]


async def test_what_is_removed_while_it_is_loaded_is_not_kept():
    values, _ = cache()

    async def load() -> str:
        values.remove(lambda value: value == "A")  # by somebody who has changed it
        return "A"

    assert await values.fetch("a", load) == "A"
    assert values.get("a") is None
