"""`console.agents.memory`: what an agent remembers of a visitor is seen, and forgotten."""

import pytest

from agents.auth.visitors import owner_of
from memories.access import Owner, save
from memories.models import Memory

PAGE = "/console/acme/agents/helper/memory/"
VISITOR = "user:ada"


@pytest.fixture
def remembered(agent):
    """Two memories of a visitor."""
    owner = Owner(agent.id, owner_of(VISITOR))
    return [save(owner, "tea", "Green."), save(owner, "cake", "None.")]


def test_it_works(client, bob, remembered):
    client.force_login(bob)
    assert "What it remembers" in client.get(PAGE).content.decode()
    page = client.get(PAGE, {"visitor": VISITOR}).content.decode()
    assert "Green." in page and "None." in page
    assert "remembers nothing" in client.get(PAGE, {"visitor": "user:eve"}).content.decode()


def test_one_or_all_are_forgotten(client, bob, remembered):
    client.force_login(bob)
    where = f"{PAGE}?visitor=user%3Aada"
    assert client.post(where, {"memory": remembered[0].id}).url == where
    assert [row.key for row in Memory.objects.all()] == ["cake"]
    assert client.post(where, {"memory": remembered[0].id}).status_code == 404
    client.post(where)
    assert not Memory.objects.exists()


def test_a_viewer_reads_only(client, bob, remembered):
    bob.membership_set.update(role="viewer")
    client.force_login(bob)
    page = client.get(PAGE, {"visitor": VISITOR}).content.decode()
    assert "Green." in page and "Forget" not in page
    assert client.post(f"{PAGE}?visitor=user:ada").status_code == 403
