"""`agents.access`: what is whose."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from agents.access import (
    agent_of_operator,
    ensure_agent,
    key_of_operator,
    newest_key,
    opened_by,
    usable_agents,
)
from agents.auth import keys
from agents.models import Agent
from engine.errors import ClawError
from tests.agents.callers import holder
from wire.errors import status_of


@pytest.fixture
def second_agent(agent):
    return Agent.objects.create(organization=agent.organization, slug="second", name="Second")


def test_it_works(key, agent, second_agent):
    row, _ = key

    assert usable_agents(row, [], at_most=2) == [agent]
    assert list(opened_by(holder(row))) == [agent]


def test_a_key_for_every_agent_opens_each_once(agent, second_agent):
    keys.create_key(agent.organization, name="other")
    row, _ = keys.create_key(agent.organization, name="wide")

    assert (
        {*usable_agents(row, [], at_most=9)} == {*opened_by(holder(row))} == {agent, second_agent}
    )
    assert opened_by(holder(row)).count() == 2


def test_p24_an_unscoped_query_would_show(key, foreign_key, agent, foreign_agent, second_agent):
    """Each of these rows is one that a query without its scope would return."""
    row, _ = key
    names = [agent.slug, foreign_agent.id, foreign_agent.slug, second_agent.slug]

    assert usable_agents(row, names, at_most=9) == [agent]
    assert usable_agents(foreign_key[0], names, at_most=9) == [foreign_agent]
    assert list(opened_by(holder(foreign_key[0]))) == [foreign_agent]


def test_an_agent_is_made_once_and_brought_up_to_date(acme):
    made = ensure_agent(acme, "new")
    assert (made.name, made.provider) == ("new", "auto")

    assert ensure_agent(acme, "new", model="claude-x") == made
    assert ensure_agent(acme, "new").model == "claude-x"


def test_p24_a_slug_of_another_organisation_is_refused(acme, foreign_agent):
    with pytest.raises(ValidationError):
        ensure_agent(acme, foreign_agent.slug, model="claude-x")
    foreign_agent.refresh_from_db()
    assert foreign_agent.model == ""


def test_the_newest_key_that_still_opens(agent):
    def make(name="x", expires_at=None):
        return keys.create_key(
            agent.organization, name=name, agents=[agent], expires_at=expires_at
        )[0]

    assert newest_key(agent, "x") is None
    make(), make(name="y")
    newest = make()
    keys.revoke(make())
    make(expires_at=timezone.now() - timedelta(days=1))
    assert newest_key(agent, "x") == newest


def test_an_operator_finds_keys_by_id_and_prefix(key):
    row, token = key

    assert key_of_operator(row.id) == key_of_operator(row.prefix) == row
    for stranger in (token, "", "claw_live_"):
        with pytest.raises(ClawError):
            key_of_operator(stranger)


def test_an_unknown_agent_is_a_404(db):
    with pytest.raises(ClawError) as raised:
        agent_of_operator("nobody")
    assert status_of(raised.value) == 404
