"""An endpoint that the settings name, and agents whose organisation may use it."""

import pytest

from knowledge.embeddings import client
from knowledge.embeddings.question import Rest
from tests.knowledge.embeddings.endpoint import embedding


@pytest.fixture
async def endpoint(settings, monkeypatch):
    """Serves for all organisations; retries are made at once."""
    monkeypatch.setattr(client, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(Rest, "until", 0.0)
    async with embedding() as found:
        settings.CLAW_EMBEDDINGS_URL = found.url
        settings.CLAW_EMBEDDINGS_KEY = "sk-embed"
        settings.CLAW_EMBEDDINGS_MODEL = "small"
        settings.CLAW_PLATFORM_CREDENTIALS = "all"
        yield found
