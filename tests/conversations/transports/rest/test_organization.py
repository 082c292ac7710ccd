"""`conversations.transports.rest.organization`: an organisation goes with all that it has."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.models import Organization, User
from agents.auth import keys
from agents.models import Agent
from conversations.access import erasing
from conversations.models import Conversation, FeedEvent, Run
from core.database import database_step
from tests.accounts.invited import invited
from tests.asgi import Response, ask
from tests.conversations.history.talks import talk
from tests.conversations.parts import ENDLESS, QUICK

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def token(acme: Organization) -> str:
    """A key of acme that may do anything."""
    return keys.create_key(acme, name="a", scopes=["chat", "admin", "agents:write"])[1]


def rows_of(organization_id: str) -> dict[str, int]:
    """How many rows of each kind an organisation still has."""
    owned = [
        model
        for model in apps.get_models()
        if any(field.name == "organization" for field in model._meta.fields)
    ]
    counts = {
        model.__name__: model._base_manager.filter(organization=organization_id).count()
        for model in owned
    }
    return {name: count for name, count in counts.items() if count}


async def delete(token: str, name: str = "Acme") -> tuple[int, Any]:
    return await ask("DELETE", "/api/organization", {"name": name}, token=token)


async def test_it_works(token, agent, foreign_agent, alice, bob, charlie, services) -> None:
    await ask("POST", "/api/agents", {"name": "Second"}, token=token)
    asked = {"message": QUICK, "agentId": agent.id}
    assert (await ask("POST", "/api/chat", asked, token=token))[0] == 200
    await database_step(invited, agent.organization, "dora@example.com", "viewer")
    before = await database_step(rows_of, foreign_agent.organization_id)
    assert {"Conversation", "Membership", "Run"} <= (
        await database_step(rows_of, agent.organization_id)
    ).keys()

    assert await delete(token) == (204, None)
    assert await database_step(rows_of, agent.organization_id) == {}
    assert await database_step(Organization.objects.get) == foreign_agent.organization
    assert await database_step(rows_of, foreign_agent.organization_id) == before
    assert await database_step(User.objects.count) == 3, "people keep their accounts"
    status, told = await ask("GET", "/api/agents", token=token)
    assert (status, told["error"]["code"]) == (401, "invalid_token")


async def test_what_still_runs_is_stopped_and_its_watchers_see_its_end(token, agent) -> None:
    asked = {"message": ENDLESS, "agentId": agent.id}
    async with Response("POST", "/api/chat/stream", asked, token) as stream:
        await stream.saw("token")
        assert await delete(token) == (204, None)
        await stream.ended()
        events = [json.loads(line[6:]) for line in stream.text.splitlines() if "data: {" in line]
        assert events[-1]["type"] == "done"
    assert not await database_step(Run.objects.exists)


async def test_another_name_deletes_nothing(token, agent) -> None:
    status, told = await delete(token, "Globex")
    assert (status, told["error"]["details"]) == (400, {"field": "name"})
    assert await database_step(Agent.objects.count) == 1


def test_it_goes_in_steps_and_not_before_its_agents(agent, acme, monkeypatch) -> None:
    monkeypatch.setattr(erasing, "MAX_ROWS", 2)
    for position in range(3):
        FeedEvent.objects.create(organization=acme, position=position, phase=0, size=1, data="{}")
    Conversation.objects.create(organization=acme, agent=agent, owner="keys")
    assert not any(erasing.erase_organization(acme.id) for _ in range(4))
    assert FeedEvent.objects.count() == 0 and Agent.objects.count() == 1
    Conversation.objects.all().delete()
    agent.delete()
    assert erasing.erase_organization(acme.id)
    assert erasing.erase_organization(acme.id), "somebody else was faster"


async def test_a_retention_is_previewed(acme, token, agent):
    old = await database_step(talk, agent, "Long ago")
    last = timezone.now() - timedelta(days=40)
    await database_step(Conversation.objects.filter(pk=old.pk).update, last_message_at=last)
    status, told = await ask("GET", "/api/organization/retention?days=30", token=token)
    assert (status, told["conversations"], told["messages"]) == (200, 1, 2)
    assert (await ask("GET", "/api/organization/retention?days=50", token=token))[1] == {
        **{"days": 50, "conversations": 0, "messages": 0, "oldest": None}
    }
    for days in ("0", "3651", "x"):
        status, told = await ask("GET", f"/api/organization/retention?days={days}", token=token)
        assert (status, told["error"]["details"]["field"]) == (400, "days")
