"""`accounts.encryption`: the database holds secrets encrypted only."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command

from accounts.encryption import decrypt, encrypt, encryption_keys
from accounts.models import Secret
from tests.database import everything_stored


def test_it_works(acme):
    secret = Secret.objects.create(organization=acme, name="anthropic", value="sk-ant-marker")

    secret.refresh_from_db()

    assert secret.value == "sk-ant-marker"


def test_p30_the_stored_value_is_a_token(acme):
    Secret.objects.create(organization=acme, name="anthropic", value="sk-ant-marker")

    assert "anthropic" in everything_stored()
    assert "marker" not in everything_stored()


def test_p30_an_export_leaves_the_value_out(acme):
    Secret.objects.create(organization=acme, name="anthropic", value="sk-ant-marker")
    exported = io.StringIO()

    call_command("dumpdata", "accounts", stdout=exported)

    assert "anthropic" in exported.getvalue()
    assert "marker" not in exported.getvalue()


def test_p30_no_representation_shows_the_value(acme):
    secret = Secret.objects.create(organization=acme, name="anthropic", value="sk-ant-marker")

    assert "marker" not in f"{secret} {secret!r}"


def test_a_new_key_in_front_still_reads_what_the_old_one_wrote(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CLAW_ENCRYPTION_KEYS = [old]
    written = encrypt("before")

    settings.CLAW_ENCRYPTION_KEYS = [new, old]
    assert decrypt(written) == "before"
    written = encrypt("after")

    settings.CLAW_ENCRYPTION_KEYS = [new]
    assert decrypt(written) == "after"


def test_a_missing_key_is_named_not_the_secret(settings):
    written = encrypt("text")
    settings.CLAW_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(ImproperlyConfigured, match="CLAW_ENCRYPTION_KEYS"):
        decrypt(written)


def test_development_derives_a_key_and_production_has_none(settings):
    settings.CLAW_ENCRYPTION_KEYS = []
    settings.DEBUG = False
    with pytest.raises(ImproperlyConfigured):
        encrypt("text")

    settings.DEBUG = True
    assert len(encryption_keys()) == 1
    assert decrypt(encrypt("text")) == "text"


def test_the_field_cannot_be_searched(db):
    with pytest.raises(FieldError):
        Secret.objects.filter(value="text").exists()
    assert not Secret.objects.filter(value__isnull=True).exists()
