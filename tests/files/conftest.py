"""Files in a folder of the test's own."""

import pytest
from django.core.files.storage import storages
from django.test import override_settings

from agents.auth import keys
from files.inspection.result import Inspected
from tests.agents.callers import caller_of

PICTURE = Inspected("image/png", b"pixels", 10)


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    """Where the contents are."""
    options = {"location": tmp_path}
    backend = "django.core.files.storage.FileSystemStorage"
    changed = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": options}}
    with override_settings(STORAGES=changed):
        yield tmp_path
    assert storages


@pytest.fixture
def caller(agent):
    return _chatter(agent)


@pytest.fixture
def stranger(foreign_agent):
    return _chatter(foreign_agent)


def _chatter(agent):
    key = keys.create_key(agent.organization, name="c", agents=[agent], scopes=["chat"])[0]
    return caller_of(key, agent)
