"""`agents.auth.grants`: a key hands on no more than it has."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organization
from agents.auth import keys
from agents.auth.grants import check_grant, scopes_of_users
from agents.models import Agent, ApiKey
from engine.errors import ClawError

SOON, LATER = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
LIMITS: dict[str, Any] = {
    "allowed_origins": ["https://a.example"],
    "expires_at": SOON,
    "requests_per_minute": 10,
    "monthly_budget": Decimal(5),
}


@pytest.fixture
def giver(agent: Agent) -> ApiKey:
    """A key with every limit, for one agent."""
    giver = keys.create_key(
        agent.organization, name="giver", agents=[agent], scopes=["chat", "keys:write"]
    )[0]
    for name, value in LIMITS.items():
        setattr(giver, name, value)
    return giver


def wanted(**fields: Any) -> ApiKey:
    return ApiKey(**{"scopes": ["chat"], **LIMITS, **fields})


def test_it_works(giver: ApiKey, agent: Agent) -> None:
    check_grant(giver, wanted(), [agent])


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("scopes", {"scopes": ["chat", "admin"]}),
        ("agents", {"every_agent": True}),
        ("allowedOrigins", {"allowed_origins": []}),
        ("allowedOrigins", {"allowed_origins": ["https://b.example"]}),
        ("expiresAt", {"expires_at": LATER}),
        ("expiresAt", {"expires_at": None}),
        ("requestsPerMinute", {"requests_per_minute": None}),
        ("monthlyBudget", {"monthly_budget": Decimal("5.01")}),
    ],
)
def test_more_of_anything_is_refused_by_its_name(
    giver: ApiKey, agent: Agent, field: str, more: dict[str, Any]
) -> None:
    with pytest.raises(ClawError) as refused:
        check_grant(giver, wanted(**more), [agent])
    assert (refused.value.code, refused.value.details) == ("forbidden", {"field": field})


def test_another_agent_is_more(giver: ApiKey, acme: Organization) -> None:
    other = Agent.objects.create(organization=acme, slug="other", name="Other", provider="demo")
    with pytest.raises(ClawError):
        check_grant(giver, wanted(), [other])


def test_an_admin_hands_on_anything(giver: ApiKey, agent: Agent) -> None:
    giver.scopes = ["admin"]
    check_grant(giver, wanted(scopes=["chat", "admin"], every_agent=True, expires_at=None), [agent])


def test_users_get_no_more_than_the_key_that_vouches(giver: ApiKey, agent: Agent) -> None:
    with pytest.raises(ClawError):  # they would have no end
        scopes_of_users(giver, agent)
    giver.allowed_origins, giver.expires_at = [], None
    giver.requests_per_minute = giver.monthly_budget = None
    assert scopes_of_users(giver, agent) == {"chat"}
