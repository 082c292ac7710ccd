"""`agents.keys`: made, found again, revoked."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.database import database_step
from agents import keys
from agents.models import ApiKey
from engine.errors import ClawError
from tests.database import everything_stored

NO_NAMES = frozenset()


async def code_of(token: str) -> str:
    with pytest.raises(ClawError) as raised:
        await keys.find(token, NO_NAMES)
    return raised.value.code


async def test_it_works(key, agent):
    row, token = key

    known = await keys.find(token, NO_NAMES)

    assert known.id == row.id
    assert [agent.id for agent in known.agents] == [agent.id]
    assert known.scopes == {"chat", "conversations:read", "conversations:write"}


def test_p23_p30_the_key_is_nowhere_in_the_database(key):
    row, token = key
    dump = everything_stored()

    secret = token.split("_")[2]
    assert row.prefix in dump
    assert secret not in dump
    assert secret[8:] not in dump


def test_p24_a_key_cannot_be_given_a_foreign_agent(acme, foreign_agent):
    with pytest.raises(ValidationError):
        keys.create_key(acme, name="x", agents=[foreign_agent])


async def test_p24_a_foreign_agent_that_got_into_a_key_stays_closed(key, foreign_agent):
    row, token = key
    await database_step(row.agents.add, foreign_agent)

    known = await keys.find(token, frozenset({foreign_agent.slug, foreign_agent.id}))

    assert known.agents == ()


async def test_a_key_whose_last_agent_is_deleted_opens_no_other(key, agent, acme):
    await database_step(agent.delete)
    await database_step(lambda: acme.agents.create(slug="another", name="Another"))

    assert (await keys.find(key[1], NO_NAMES)).agents == ()


async def test_an_unknown_key_is_invalid(key):
    _, token = key
    await database_step(ApiKey.objects.all().delete)

    assert await code_of(token) == "invalid_token"


async def test_a_key_with_a_bad_checksum_is_invalid(key):
    assert await code_of(key[1][:-1] + "~") == "invalid_token"


async def test_a_cached_key_is_found_without_the_database(key):
    known = await keys.find(key[1], NO_NAMES)
    await database_step(ApiKey.objects.all().delete)

    assert await keys.find(key[1], NO_NAMES) is known


async def test_p22_a_key_revoked_here_is_gone_at_once(key):
    row, token = key
    await keys.find(token, NO_NAMES)

    await database_step(keys.revoke, row)

    assert (await keys.find(token, NO_NAMES)).revoked_at


async def test_p22_the_sweep_forgets_a_key_that_another_process_revoked(key):
    _, token = key
    await keys.find(token, NO_NAMES)
    await database_step(ApiKey.objects.update, revoked_at=timezone.now())

    assert await keys.revoked_among([]) == {}
    assert (await keys.find(token, NO_NAMES)).revoked_at


async def test_the_sweep_says_why_each_key_ended(acme):
    made = {
        name: (await database_step(keys.create_key, acme, name=name))[0]
        for name in ("good", "revoked", "expired", "deleted")
    }
    past = timezone.now() - timedelta(seconds=1)

    def end() -> None:
        keys.revoke(made["revoked"])
        ApiKey.objects.filter(name="expired").update(expires_at=past)
        ApiKey.objects.filter(name="deleted").delete()

    await database_step(end)

    ids = {name: key.id for name, key in made.items()}
    ids["deleted"] = "key_deleted"
    assert await keys.revoked_among(ids.values()) == {
        ids["revoked"]: "key_revoked",
        ids["expired"]: "token_expired",
        ids["deleted"]: "key_revoked",
    }


def test_revoking_twice_keeps_the_first_time(key):
    row, _ = key
    keys.revoke(row)
    first = row.revoked_at
    keys.revoke(row)

    row.refresh_from_db()
    assert row.revoked_at == first


async def test_last_use_is_written_once_a_minute(key):
    row, token = key

    async def used_at():
        keys.forget_all()
        await keys.find(token, NO_NAMES)
        await database_step(row.refresh_from_db)
        return row.last_used_at

    first = await used_at()
    assert first is not None
    assert await used_at() == first

    await database_step(ApiKey.objects.update, last_used_at=first - timedelta(minutes=2))
    assert await used_at() > first


async def test_trying_a_revoked_key_is_not_a_use(key):
    row, token = key
    await database_step(keys.revoke, row)
    await keys.find(token, NO_NAMES)

    await database_step(row.refresh_from_db)
    assert row.last_used_at is None
