"""`agents.auth.key_holders`: keys are found, remembered, and looked at again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.auth import key_format, key_holders, keys
from agents.models import Agent, ApiKey
from agents.validators import SCOPES
from core.database import database_step
from engine.errors import ClawError

NO_NAMES = frozenset()


async def code_of(token: str) -> str:
    with pytest.raises(ClawError) as raised:
        await key_holders.find(key_format.read(token), NO_NAMES)
    return raised.value.code


async def test_it_works(key, agent):
    row, token = key

    known = await key_holders.find(key_format.read(token), NO_NAMES)

    assert known.principal.id == row.id
    assert [agent.id for agent in known.agents] == [agent.id]
    assert known.principal.scopes == {"chat", "conversations:read", "conversations:write"}


async def test_admin_contains_every_scope(acme):
    _, token = await database_step(
        lambda: keys.create_key(acme, name="a", scopes=["admin"], agents=[])
    )
    known = await key_holders.find(key_format.read(token), NO_NAMES)
    for scope in SCOPES:
        known.principal.require(scope)


async def test_p24_a_foreign_agent_that_got_into_a_key_stays_closed(key, foreign_agent):
    row, token = key
    await database_step(row.agents.add, foreign_agent)

    known = await key_holders.find(
        key_format.read(token), frozenset({foreign_agent.slug, foreign_agent.id})
    )

    assert known.agents == ()


async def test_a_key_whose_last_agent_is_deleted_opens_no_other(key, agent, acme):
    await database_step(agent.delete)
    await database_step(lambda: acme.agents.create(slug="another", name="Another"))

    assert (await key_holders.find(key_format.read(key[1]), NO_NAMES)).agents == ()


async def test_an_unknown_key_is_invalid(key):
    _, token = key
    await database_step(ApiKey.objects.all().delete)

    assert await code_of(token) == "invalid_token"


async def test_a_key_with_a_bad_checksum_is_invalid(key):
    assert await code_of(key[1][:-1] + "~") == "invalid_token"


async def test_a_cached_key_is_found_without_the_database(key):
    known = await key_holders.find(key_format.read(key[1]), NO_NAMES)
    await database_step(ApiKey.objects.update, name="Renamed")  # a statement, of which nobody hears

    assert await key_holders.find(key_format.read(key[1]), NO_NAMES) is known


async def test_p22_a_key_revoked_here_is_gone_at_once(key):
    row, token = key
    await key_holders.find(key_format.read(token), NO_NAMES)

    await database_step(keys.revoke, row)

    assert (await key_holders.find(key_format.read(token), NO_NAMES)).revoked_at


async def test_p22_the_sweep_forgets_a_key_that_another_process_revoked(key):
    _, token = key
    await key_holders.find(key_format.read(token), NO_NAMES)
    await database_step(ApiKey.objects.update, revoked_at=timezone.now())

    assert await key_holders.look_again([]) == {}
    assert (await key_holders.find(key_format.read(token), NO_NAMES)).revoked_at


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
    states = await key_holders.look_again(ids.values())
    assert {name: states[key_id].ended for name, key_id in ids.items()} == {
        "good": None,
        "revoked": "key_revoked",
        "expired": "token_expired",
        "deleted": "key_revoked",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": ["chat"]},
        {"allowed_origins": ["https://a.io"]},
        {"every_agent": True},
        {"requests_per_minute": 3},
        {"monthly_budget": 5},
        {"expires_at": timezone.now() + timedelta(days=1)},
    ],
)
async def test_the_sweep_forgets_a_key_that_another_process_changed(key, fields):
    row, token = key
    known = await key_holders.find(key_format.read(token), NO_NAMES)
    assert (await key_holders.look_again([row.id]))[row.id].version == known.principal.version
    assert await key_holders.find(key_format.read(token), NO_NAMES) is known

    await database_step(ApiKey.objects.update, **fields)
    assert (await key_holders.look_again([row.id]))[row.id].version != known.principal.version
    assert await key_holders.find(key_format.read(token), NO_NAMES) is not known


async def test_the_sweep_forgets_a_key_that_another_process_gave_other_agents(key, agent, acme):
    row, token = key
    known = await key_holders.find(key_format.read(token), NO_NAMES)

    def swap() -> None:
        other = Agent.objects.create(organization=acme, slug="other", name="Other")
        ApiKey.agents.through.objects.all()._raw_delete("default")
        ApiKey.agents.through.objects.bulk_create([ApiKey.agents.through(apikey=row, agent=other)])

    await database_step(swap)
    assert (await key_holders.look_again([row.id]))[row.id].version != known.principal.version
    later = await key_holders.find(key_format.read(token), NO_NAMES)
    assert [each.slug for each in later.agents] == ["other"]


async def test_last_use_is_written_once_a_minute(key):
    row, token = key

    async def used_at():
        key_holders.forget_all()
        await key_holders.find(key_format.read(token), NO_NAMES)
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
    await key_holders.find(key_format.read(token), NO_NAMES)

    await database_step(row.refresh_from_db)
    assert row.last_used_at is None
