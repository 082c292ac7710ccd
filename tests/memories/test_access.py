"""`memories.access`: whose memories there are, how they are found, and how many."""

import pytest

from agents.models import Agent
from memories import access
from memories.access import NoRoom, Owner
from memories.models import Memory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(agent: Agent) -> Owner:
    return Owner(agent.id, "user:ada")


@pytest.fixture
def bob(agent: Agent) -> Owner:
    return Owner(agent.id, "visitor:bob")


def contents(owner: Owner, query: str = "") -> list[str]:
    return [memory.content for memory in access.search(owner, query)]


def test_it_works(ada: Owner) -> None:
    access.save(ada, "colour", "Likes blue.")
    saved = access.save(ada, "colour", "Likes green.")
    assert contents(ada) == ["Likes green."]
    assert access.forget(ada, key="colour") == saved
    assert contents(ada) == []
    assert access.forget(ada, key="colour") is None


def test_b4_two_visitors_do_not_meet(ada: Owner, bob: Owner) -> None:
    mine = access.save(ada, "colour", "Likes blue.")
    access.save(bob, "colour", "Likes red.")
    assert (contents(ada), contents(bob)) == (["Likes blue."], ["Likes red."])
    assert access.forget(bob, id=mine.id) is None
    access.erase(bob)
    assert (contents(ada), contents(bob)) == (["Likes blue."], [])


def test_an_agent_does_not_know_what_another_one_remembers(ada: Owner, foreign_agent) -> None:
    access.save(ada, "colour", "Likes blue.")
    assert contents(Owner(foreign_agent.id, ada.name)) == []


def test_what_fits_best_is_found_first(ada: Owner) -> None:
    access.save(ada, "pet", "Has a dog and a cat.")
    access.save(ada, "city", "Lives in Zürich with a dog.")
    access.save(ada, "job", "Bakes bread.")
    assert contents(ada, "ZÜRICH dog") == ["Lives in Zürich with a dog.", "Has a dog and a cat."]
    assert contents(ada, "bak") == ["Bakes bread."]
    assert contents(ada, "train") == []
    assert contents(ada, '?! (NOT "') == []
    assert len(contents(ada, "?!")) == 3


def test_there_is_an_end_of_it(ada: Owner, bob: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MAX_MEMORIES", 2)
    monkeypatch.setattr(access, "MAX_CHARACTERS", 10)
    access.save(ada, "a", "12345")
    access.save(ada, "b", "12345")
    with pytest.raises(NoRoom, match="forget"):
        access.save(ada, "c", "")
    with pytest.raises(NoRoom, match="too large"):
        access.save(ada, "a", "123456")
    access.save(ada, "a", "54321")
    access.save(bob, "c", "12345")
    assert contents(ada) == ["54321", "12345"]


def test_those_of_an_agent_go_a_few_at_a_time(ada: Owner, monkeypatch) -> None:
    monkeypatch.setattr(access, "MAX_ERASED", 2)
    for key in "abc":
        access.save(ada, key, "x")
    assert [access.erase_some(ada.agent_id) for _ in range(3)] == [True, True, False]
    assert not Memory.objects.exists()
