"""`core.turns`: steps of many owners, one of each in turn."""

from core.turns import Turns


def order(*waiting: str) -> str:
    """In which order steps are done; the first letter of each is its owner, `-` is none."""
    turns, done = Turns(), []
    for step in waiting:
        turns.add(step[0].strip("-"), lambda step=step: done.append(step))
    for _ in waiting:
        turns.do_next()
    return " ".join(done)


def test_it_works():
    assert order("a1", "a2", "a3", "b1") == "a1 b1 a2 a3"


def test_a_flood_of_one_owner_delays_only_that_owner():
    flood = [f"a{n}" for n in range(1000)]
    assert order(*flood, "b1", "c1", "b2").split()[:5] == ["a0", "b1", "c1", "a1", "b2"]


def test_what_is_nobody_s_gets_every_second_turn():
    assert order("a1", "b1", "a2", "-1", "-2", "-3", "-4") == "-1 a1 -2 b1 -3 a2 -4"


def test_work_that_comes_later_waits_for_its_turn():
    turns, done = Turns(), []
    for step in ("a1", "a2"):
        turns.add("a", lambda step=step: done.append(step))
    turns.do_next()
    turns.add("b", lambda: done.append("b1"))
    turns.add("a", lambda: done.append("a3"))
    for _ in range(3):
        turns.do_next()
    assert done == ["a1", "a2", "b1", "a3"]
