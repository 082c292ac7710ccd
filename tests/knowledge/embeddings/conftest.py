"""An endpoint that the settings name, and agents whose organisation may use it."""

from ipaddress import ip_network

import pytest

from accounts.access import store_secret
from core.database import database_step
from knowledge import access
from knowledge.embeddings import client
from knowledge.embeddings.question import Rests
from tests.knowledge.embeddings.endpoint import embedding


@pytest.fixture
async def endpoint(settings, monkeypatch):
    """Serves for all organisations; retries are made at once."""
    monkeypatch.setattr(client, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(Rests, "until", {})
    async with embedding() as found:
        settings.CLAW_EMBEDDINGS_URL = found.url
        settings.CLAW_EMBEDDINGS_KEY = "sk-embed"
        settings.CLAW_EMBEDDINGS_MODEL = "small"
        settings.CLAW_PLATFORM_CREDENTIALS = "all"
        yield found


@pytest.fixture
async def own_server(endpoint, settings, caller):
    """The same endpoint as acme's own server, which the operator has not named."""
    settings.CLAW_EMBEDDINGS_URL = ""
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    owner = caller.principal.organization_id
    await database_step(store_secret, owner, "EMBED", "sk-own")
    fields = {"url": endpoint.url, "model": "own", "secret": "EMBED"}
    await database_step(access.set_embedding_server, owner, **fields)
    return endpoint
