"""`agents.changes`: a change is forgotten where it is committed, and told to the others."""

import pytest
from django.db import transaction

from accounts.database import database_step
from agents import changes, visited
from agents.keys import find
from engine.errors import ClawError
from tests.agents.test_keys import NO_NAMES


@pytest.fixture
def told():
    """The organisations whose changes were told."""
    heard: list[str] = []
    end = changes.tell(heard.append)
    yield heard
    end()


async def test_it_works(key, agent, told):
    """What was remembered is looked up again: the key, and the agent for its visitors."""
    row, token = key
    await find(token, NO_NAMES)
    await visited.find({agent.slug})

    def rename() -> None:
        with transaction.atomic():
            agent.name = "Renamed"
            agent.save()
            row.scopes = ["chat"]
            row.save()
            changes.announce(agent.organization_id)

    await database_step(rename)

    assert (await find(token, NO_NAMES)).scopes == {"chat"}
    assert (await visited.find({agent.slug})).config.name == "Renamed"
    assert told == [agent.organization_id]


def test_before_the_commit_nobody_hears_of_it(acme, told):
    with transaction.atomic():
        changes.announce(acme.id)
        assert told == []
    assert told == [acme.id]


def test_what_is_rolled_back_was_no_change(acme, told):
    with transaction.atomic():
        changes.announce(acme.id)
        transaction.set_rollback(True)
    assert told == []


async def test_what_was_heard_is_not_told_again(key, told):
    await find(key[1], NO_NAMES)
    await database_step(key[0].delete)
    changes.forget(key[0].organization_id)

    assert told == []
    with pytest.raises(ClawError, match="Invalid token"):
        await find(key[1], NO_NAMES)
