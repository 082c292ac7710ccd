"""`agents.invalidation`: a change is forgotten where it is committed, and told to the others."""

import pytest
from django.db import transaction

from agents import invalidation
from agents.auth import key_format
from agents.auth.key_holders import find
from agents.models import ApiKey
from agents.public import visited
from core.database import database_step
from tests.agents.auth.test_key_holders import NO_NAMES


@pytest.fixture
def told():
    """The organisations whose changes were told."""
    heard: list[str] = []
    end = invalidation.listen_to_commits(heard.append)
    yield heard
    end()


async def test_it_works(key, agent, told):
    """What was remembered is looked up again: the key, and the agent for its visitors."""
    row, token = key
    await find(key_format.read(token), NO_NAMES)
    await visited.find({agent.slug})

    def rename() -> None:
        with transaction.atomic():
            agent.name = "Renamed"
            agent.save()
            row.scopes = ["chat"]
            row.save()

    await database_step(rename)

    assert (await find(key_format.read(token), NO_NAMES)).principal.scopes == {"chat"}
    assert (await visited.find({agent.slug})).config.name == "Renamed"
    assert set(told) == {agent.organization_id}


def test_before_the_commit_nobody_hears_of_it(acme, told):
    with transaction.atomic():
        invalidation.publish(acme.id)
        assert told == []
    assert told == [acme.id]


def test_what_is_rolled_back_was_no_change(acme, told):
    with transaction.atomic():
        invalidation.publish(acme.id)
        transaction.set_rollback(True)
    assert told == []


async def test_what_was_heard_is_not_told_again(key, told):
    await find(key_format.read(key[1]), NO_NAMES)
    await database_step(ApiKey.objects.update, scopes=["chat"])
    invalidation.forget(key[0].organization_id)

    assert told == []
    assert (await find(key_format.read(key[1]), NO_NAMES)).principal.scopes == {"chat"}


def test_whoever_saves_or_deletes_a_row_announces_it(acme, agent, key, told):
    """The admin, a command, the API: none of them has to remember it."""
    row, _ = key
    for act in (
        agent.save,
        row.save,
        acme.save,
        lambda: row.agents.clear(),
        lambda: row.agents.set([agent]),
        row.delete,
        agent.delete,
        acme.delete,
    ):
        told.clear()
        act()
        assert set(told) == {key[0].organization_id}, act


def test_that_a_key_is_used_is_no_change(key, told):
    key[0].save(update_fields=["last_used_at"])
    assert told == []
