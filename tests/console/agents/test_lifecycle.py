"""`console.agents.lifecycle`: copies of an agent, and putting it away."""

from accounts.models import Secret
from agents.models import Agent

PAGE, AGENTS = "/console/acme/agents/helper/", "/console/acme/agents/"


def test_it_works(client, bob, agent):
    client.force_login(bob)
    assert client.post(f"{PAGE}archive/").url == f"{PAGE}limits/"
    assert "This agent is archived" in client.get(PAGE).content.decode()
    assert "Helper" not in client.get(AGENTS).content.decode()
    assert "Helper" in client.get(f"{AGENTS}?archived=1").content.decode()
    client.post(f"{PAGE}archive/", {"restore": "1"})
    assert "Helper" in client.get(AGENTS).content.decode()


def test_a_copy_opens(client, bob, agent):
    client.force_login(bob)
    answer = client.post(f"{PAGE}duplicate/")
    assert answer.url == "/console/acme/agents/helper-copy/"
    assert client.get(answer.url).status_code == 200


def test_a_copy_that_is_refused_says_why(client, bob, agent):
    agent.credential = Secret.objects.create(organization=agent.organization, name="S", value="v")
    agent.save()
    client.force_login(bob)
    answer = client.post(f"{PAGE}duplicate/", follow=True)
    assert "needs the scope" in answer.content.decode()
    assert Agent.objects.count() == 1
