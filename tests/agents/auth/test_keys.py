"""`agents.auth.keys`: keys are made and revoked."""

import pytest
from django.core.exceptions import ValidationError

from agents.auth import keys
from tests.database import everything_stored


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


def test_revoking_twice_keeps_the_first_time(key):
    row, _ = key
    keys.revoke(row)
    first = row.revoked_at
    keys.revoke(row)

    row.refresh_from_db()
    assert row.revoked_at == first
