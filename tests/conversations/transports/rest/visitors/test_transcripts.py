"""`conversations.transports.rest.visitors.transcripts`: a conversation goes to whom its reader
names, and to nobody else."""

import pytest
from django.core.mail import EmailMessage

from accounts.models import Organization
from conversations.models import Conversation
from conversations.transports.rest.visitors import transcripts
from core.database import database_step
from tests.asgi import ask
from tests.conversations.history.talks import talk

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def mine(agent) -> Conversation:
    return talk(agent, "Where is my order?", owner="keys")


def path(conversation: Conversation) -> str:
    return f"/api/conversations/{conversation.pk}/transcript"


async def test_it_works(mine, key, mailoutbox: list[EmailMessage]) -> None:
    answer = await ask("POST", path(mine), {"email": "ada@example.com"}, token=key[1])
    assert answer == (204, None)
    (sent,) = mailoutbox
    assert sent.to == ["ada@example.com"]
    assert "Where is my order?" in str(sent.body)
    assert str(sent.body).startswith("Somebody asked for this conversation")


@pytest.mark.parametrize(
    "email", ["ada", "ada@example.com\r\nBcc: eve@example.com", "a@example.com,b@example.com"]
)
async def test_only_one_address_is_one(
    mine, key, mailoutbox: list[EmailMessage], email: str
) -> None:
    status, told = await ask("POST", path(mine), {"email": email}, token=key[1])
    assert (status, told["error"]["code"]) == (400, "invalid_message")
    assert mailoutbox == []


async def test_strangers_find_nothing_to_send(
    mine, foreign_key, mailoutbox: list[EmailMessage]
) -> None:
    answer = await ask("POST", path(mine), {"email": "a@example.com"}, token=foreign_key[1])
    assert answer[0] == 404 and mailoutbox == []


async def test_the_name_of_an_agent_adds_no_header(
    mine, agent, key, mailoutbox: list[EmailMessage]
) -> None:
    agent.name = "Helper\nBcc: eve@example.com"
    await database_step(agent.save)
    await ask("POST", path(mine), {"email": "ada@example.com"}, token=key[1])
    assert mailoutbox[0].recipients() == ["ada@example.com"]
    assert "\n" not in mailoutbox[0].subject


async def test_an_address_gets_a_few_an_hour(
    acme: Organization, mine, key, mailoutbox: list[EmailMessage], monkeypatch
) -> None:
    monkeypatch.setattr(transcripts, "MAX_TO_ONE", 2)
    to = f"{acme.pk.casefold()}@example.com"
    statuses = [
        (await ask("POST", path(mine), {"email": email}, token=key[1]))[0]
        for email in (to, to.upper(), to)
    ]
    assert statuses == [204, 204, 429]
