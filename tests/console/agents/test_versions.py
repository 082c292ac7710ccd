"""`console.agents.versions`: a change is a draft, until somebody has looked at it and publishes."""

import pytest

from agents.models import Agent
from agents.versions.access import store_draft

PAGE = "/console/acme/agents/helper/"


@pytest.fixture
def drafting(client, bob, agent):
    """A member, and an agent with a draft."""
    client.force_login(bob)
    store_draft(agent, {"instructions": "Be brief.\nBe kind."})
    return client


def test_it_works(drafting, agent):
    page = drafting.get(f"{PAGE}publish/").content.decode()
    assert "<ins>Be brief.</ins><ins>Be kind.</ins>" in page
    answer = drafting.post(f"{PAGE}publish/", {"note": "Kinder."})
    assert answer.url == f"{PAGE}versions/?saved=1"
    agent.refresh_from_db()
    assert (agent.instructions, agent.version) == ("Be brief.\nBe kind.", 2)
    listed = drafting.get(f"{PAGE}versions/").content.decode()
    assert "Kinder." in listed
    assert "Everything is published" in drafting.get(f"{PAGE}publish/").content.decode()


def test_a_draft_can_be_discarded(drafting, agent):
    assert drafting.post(f"{PAGE}publish/", {"discard": "1"}).url == PAGE
    assert "Everything is published" in drafting.get(f"{PAGE}publish/").content.decode()
    agent.refresh_from_db()
    assert agent.version == 1


def test_a_version_is_compared_and_rolled_back_to(drafting, agent):
    drafting.post(f"{PAGE}publish/", {"note": ""})
    page = drafting.get(f"{PAGE}versions/1/").content.decode()
    assert "<del>Be brief.</del>" in page
    assert "Roll back to this" in page
    assert drafting.post(f"{PAGE}versions/1/", {"number": "1"}).status_code == 302
    agent.refresh_from_db()
    assert (agent.instructions, agent.version) == ("", 1)
    assert drafting.get(f"{PAGE}versions/9/").status_code == 404


def test_visitors_are_given_a_version(drafting, agent):
    drafting.post(f"{PAGE}publish/", {"note": ""})
    for given, stored in (("1", 1), ("", None)):
        assert drafting.post(f"{PAGE}versions/", {"visitor_version": given}).status_code == 302
        agent.refresh_from_db()
        assert agent.visitor_version == stored
    answer = drafting.post(f"{PAGE}versions/", {"visitor_version": "7"})
    assert "visitor_version" in answer.context["form"].errors


def test_what_only_an_admin_may_publish_is_said(drafting, agent):
    store_draft(agent, {"base_url": "https://models.example.com/v1"})
    page = drafting.post(f"{PAGE}publish/", {"note": "typed"}).content.decode()
    assert "needs the scope" in page
    assert 'value="typed"' in page
    assert Agent.objects.get().base_url == ""


def test_of_two_who_save_the_slower_is_told_and_loses_nothing(drafting, agent):
    old = drafting.get(PAGE).context["etag"]
    store_draft(agent, {"instructions": "Theirs."})
    fields = {"instructions": "Mine.", "greeting": "", "prompts": "", "etag": old}
    page = drafting.post(PAGE, fields)
    assert "Somebody else" in page.content.decode()
    assert "Mine.</textarea>" in page.content.decode()
    again = drafting.post(PAGE, fields | {"etag": page.context["etag"]})
    assert again.status_code == 302
    assert "Mine." in drafting.get(f"{PAGE}publish/").content.decode()


def test_a_viewer_reads_and_changes_nothing(drafting, bob):
    bob.membership_set.update(role="viewer")
    for page in ("publish/", "versions/", "versions/1/"):
        assert drafting.get(f"{PAGE}{page}").status_code == 200
        assert drafting.post(f"{PAGE}{page}", {"x": "1"}).status_code == 403
