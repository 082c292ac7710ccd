"""`accounts.counting`: pages of signing in go on while Redis is away."""

import time

import pytest
from django.core.cache import cache
from django.test import override_settings

from tests.ports import free_port


@pytest.fixture
def away():
    """The cache of a scaled-out installation, whose Redis nobody reaches."""
    from clawsite.settings import SHARED_CACHE

    where = {**SHARED_CACHE, "LOCATION": f"redis://127.0.0.1:{free_port()}"}
    with override_settings(CACHES={"default": where}):
        yield


def test_it_works(away):
    begun = time.monotonic()
    assert cache.add("a", 0, 60) and not cache.add("a", 5, 60)
    assert [cache.incr("a"), cache.incr("a"), cache.get("a")] == [1, 2, 2]
    cache.set("b", [1])
    assert cache.get("b") == [1] and cache.delete("b") and cache.get("b") is None
    assert time.monotonic() - begun < 5, "it does not wait for long"


def test_people_sign_in(away, client, alice):
    assert client.get("/accounts/login/").status_code == 200
    form = {"login": alice.email, "password": "correct horse"}
    assert client.post("/accounts/login/", form).status_code == 302
    assert client.post("/accounts/password/reset/", {"email": alice.email}).status_code == 302
