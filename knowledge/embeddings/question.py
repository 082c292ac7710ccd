"""The vector of a question, if there is an endpoint and it answers."""

import logging
import time

from django.conf import settings

from agents.config import AgentConfig
from knowledge.embeddings.client import Endpoint, NotEmbedded, embed
from knowledge.embeddings.vectors import Vector

log = logging.getLogger(__name__)

SECONDS = 3.0
"""For a question: its asker waits."""
REST_SECONDS = 30.0
"""After a failure nobody waits for the endpoint that long: words are searched alone."""


class Rest:
    """Until when the endpoint is not asked."""

    until = 0.0


def endpoint() -> Endpoint | None:
    """The endpoint of the settings."""
    if not settings.CLAW_EMBEDDINGS_URL:
        return None
    return Endpoint(
        settings.CLAW_EMBEDDINGS_URL, settings.CLAW_EMBEDDINGS_MODEL, settings.CLAW_EMBEDDINGS_KEY
    )


async def question_vector(agent: AgentConfig, query: str) -> Vector | None:
    """None where the agent's organisation has no vectors, or the endpoint gives none."""
    place = endpoint()
    allowed = place is not None and agent.platform_credentials and query.strip()
    if place is None or not allowed or time.monotonic() < Rest.until:
        return None
    try:
        (found,) = await embed(place, [query], seconds=SECONDS)
    except NotEmbedded as failed:
        Rest.until = time.monotonic() + REST_SECONDS
        log.warning("searching by words alone: %s", failed)
        return None
    return found
