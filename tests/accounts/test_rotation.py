"""`manage.py rotate_secrets`: stored secrets move to the first key."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError

from accounts.models import Secret
from accounts.rotation import rotation_state
from tests.commands import result, run


@pytest.fixture
def secrets(acme, settings) -> list[Secret]:
    """Two under the old key; a new one stands in front of it."""
    made = [
        Secret.objects.create(organization=acme, name=name, value=f"text of {name}")
        for name in ("one", "two")
    ]
    settings.CLAW_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.CLAW_ENCRYPTION_KEYS]
    return made


def test_it_works(secrets, settings) -> None:
    assert result("rotate_secrets") == {"secrets": 2, "rotated": 2}
    settings.CLAW_ENCRYPTION_KEYS = settings.CLAW_ENCRYPTION_KEYS[:1]  # the old one is not needed
    assert sorted(Secret.objects.values_list("value", flat=True)) == ["text of one", "text of two"]


def test_it_may_be_repeated(secrets) -> None:
    run("rotate_secrets")
    assert result("rotate_secrets") == {"secrets": 2, "rotated": 0}


def test_what_no_key_opens_is_said_and_stays_while_the_others_move(acme, secrets, settings) -> None:
    keys = settings.CLAW_ENCRYPTION_KEYS
    settings.CLAW_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    Secret.objects.create(organization=acme, name="lost", value="text of lost")
    lost, settings.CLAW_ENCRYPTION_KEYS = settings.CLAW_ENCRYPTION_KEYS, keys

    with pytest.raises(CommandError, match="1 of 3 secrets fit none"):
        run("rotate_secrets")
    state = rotation_state()
    assert (state.total, state.old, state.unreadable) == (3, 0, 1)
    settings.CLAW_ENCRYPTION_KEYS = [keys[0], *lost]
    assert result("rotate_secrets") == {"secrets": 3, "rotated": 1}
