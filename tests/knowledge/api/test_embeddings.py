"""`knowledge.api.embeddings`: an organisation names a server of vectors of its own."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import erase_secret, store_secret
from agents.auth import keys
from agents.caller import Caller
from engine.errors import ClawError
from knowledge.api import embeddings
from tests.agents.api import request
from tests.agents.callers import caller_of, having

SERVER = {"url": "https://vectors.example/v1", "model": "small", "secret": "EMBED"}


@pytest.fixture
def admin(acme) -> Caller:
    """A key that manages acme."""
    store_secret(acme.id, "EMBED", "hush")
    return caller_of(keys.create_key(acme, name="a", scopes=["admin"])[0])


def shown(answer: Any) -> Any:
    return json.loads(answer.content)


def test_it_works(admin, acme):
    with pytest.raises(ClawError) as missing:
        embeddings.show(request(), admin)
    assert missing.value.code == "not_found"
    assert shown(embeddings.put(request(SERVER), admin)) == SERVER
    other = {"url": "http://ollama:11434/v1", "model": "nomic"}
    assert shown(embeddings.put(request(other), admin)) == other | {"secret": None}
    assert shown(embeddings.show(request(), admin))["model"] == "nomic"
    assert embeddings.remove(request(), admin).status_code == 204
    with pytest.raises(ClawError):
        embeddings.remove(request(), admin)


def test_its_secret_is_one_of_the_organisation_and_stays(admin, acme, globex):
    store_secret(globex.id, "SPY", "theirs")
    with pytest.raises(ClawError) as unknown:
        embeddings.put(request(SERVER | {"secret": "SPY"}), admin)
    assert unknown.value.details == {"field": "secret"}
    embeddings.put(request(SERVER), admin)
    with pytest.raises(ClawError) as used:
        erase_secret(acme.id, "EMBED")
    assert used.value.code == "in_use"
    acme.delete()


@pytest.mark.parametrize("url", ["ftp://x", "nowhere", "https://a:b@c.example", "https://x/?q=1"])
def test_its_address_is_one_of_a_server(admin, url):
    with pytest.raises(ValidationError):
        embeddings.put(request(SERVER | {"url": url}), admin)


def test_others_may_not(admin):
    scopes = admin.principal.scopes - {"admin"}
    for act in (embeddings.show, embeddings.put, embeddings.remove):
        with pytest.raises(ClawError) as refused:
            act(request(SERVER), having(admin, scopes=scopes))
        assert refused.value.code == "forbidden"
