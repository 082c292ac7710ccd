"""`agents.auth.rotation`: a key's successor."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.access import lineage_of
from agents.auth import key_format, key_holders, keys
from agents.auth.rotation import rotate
from agents.models import ApiKey
from core.database import database_step
from engine.errors import ClawError


def test_it_works(key, agent):
    old, token = key
    new, new_token = rotate(old)

    assert new_token != token
    assert new.rotated_from == old
    assert list(new.agents.all()) == [agent]
    for field in ("name", "scopes", "every_agent", "organization_id", "monthly_budget"):
        assert getattr(new, field) == getattr(old, field)
    assert new.expires_at is None
    old.refresh_from_db()
    assert timedelta(hours=23) < old.expires_at - timezone.now() <= timedelta(days=1)


def test_a_rotation_never_makes_a_key_live_longer(key):
    old, _ = key
    end = timezone.now() + timedelta(minutes=5)
    ApiKey.objects.update(expires_at=end)
    old.refresh_from_db()
    new, _ = rotate(old, overlap=timedelta(days=1))
    assert old.expires_at == new.expires_at == end


async def test_the_old_key_knows_its_end_at_once(key):
    old, token = key
    await key_holders.find(key_format.read(token), frozenset())
    await database_step(rotate, old, overlap=timedelta(0))
    known = await key_holders.find(key_format.read(token), frozenset())
    assert keys.ended(known.revoked_at, known.principal.expires_at) == "token_expired"


def test_all_of_a_line_share_one_budget(key, agent):
    first, _ = key
    second, _ = rotate(first)
    third, _ = rotate(second)
    keys.create_key(agent.organization, name="another", agents=[agent])
    for each in (first, second, third):
        assert set(lineage_of(each.id)) == {first, second, third}


def test_an_ended_key_has_no_successor(key):
    keys.revoke(key[0])
    with pytest.raises(ClawError):
        rotate(key[0])


def test_p24_a_foreign_agent_that_got_into_a_key_is_not_handed_on(key, agent, foreign_agent):
    key[0].agents.add(foreign_agent)
    new, _ = rotate(key[0])
    assert list(new.agents.all()) == [agent]


def test_a_key_that_was_revoked_meanwhile_gets_no_successor(key):
    row, _ = key
    stale = ApiKey.objects.get(pk=row.pk)
    keys.revoke(row)
    with pytest.raises(ClawError, match="has ended"):
        rotate(stale)
    row.delete()
    with pytest.raises(ClawError) as raised:
        rotate(stale)
    assert raised.value.code == "not_found"
    assert not ApiKey.objects.exists()
