"""`console.agents.connecting`: examples with the real address, and whether a request has come."""

import pytest

from conversations.models import Conversation, Message, Run

PAGE = "/console/acme/agents/helper/connect/"


@pytest.fixture
def ask(agent):
    """Have a run of the agent asked with this key."""

    def asked(key):
        organization = agent.organization
        talk = Conversation.objects.create(organization=organization, agent=agent, owner="keys")
        said = [Message.objects.create(conversation=talk, role=r) for r in ("user", "assistant")]
        fields = {"user_message": said[0], "message": said[1], "owner": "keys", "api_key": key}
        Run.objects.create(organization=organization, agent=agent, conversation=talk, **fields)

    return asked


def test_it_works(client, alice, agent, settings):
    settings.CLAW_PUBLIC_URL = "https://claw.example.com"
    client.force_login(alice)
    page = client.get(PAGE).content.decode()
    assert "https://claw.example.com/a/helper/api/chat/stream?message=Hello" in page
    assert "data-agent=&quot;helper&quot;" in page or 'data-agent="helper"' in page


def test_it_waits_for_a_request_with_a_key(client, alice, key, ask):
    client.force_login(alice)
    assert client.get(f"{PAGE}seen/").json() == {"seen": False}
    ask(None)
    assert client.get(f"{PAGE}seen/").json() == {"seen": False}, "a member's own try is none"
    ask(key[0])
    assert client.get(f"{PAGE}seen/").json() == {"seen": True}
