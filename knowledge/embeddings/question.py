"""The endpoint of an organisation, and the vector of a question if that answers."""

import logging
import time
from typing import NamedTuple

from django.conf import settings

from agents.config import AgentConfig
from core.database import database_step
from engine.http.guard import Guard
from knowledge import access
from knowledge.embeddings.client import Endpoint, NotEmbedded, embed
from knowledge.embeddings.vectors import Vector

log = logging.getLogger(__name__)

SECONDS = 3.0
"""For a question: its asker waits."""
REST_SECONDS = 30.0
"""After a failure nobody waits for the endpoint that long: words are searched alone."""
MAX_RESTING = 1000
"""Endpoints of which that is remembered at once."""


class Rests:
    """Until when each endpoint is not asked, by its address."""

    until: dict[str, float] = {}


class Question(NamedTuple):
    """The vector of a question, and the model that made it."""

    model: str
    vector: Vector


def operators_endpoint() -> Endpoint | None:
    """The endpoint of the settings."""
    if not settings.CLAW_EMBEDDINGS_URL:
        return None
    return Endpoint(
        settings.CLAW_EMBEDDINGS_URL, settings.CLAW_EMBEDDINGS_MODEL, settings.CLAW_EMBEDDINGS_KEY
    )


def endpoint_of(organization_id: str, *, paid: bool) -> Endpoint | None:
    """The organisation's own endpoint, else the operator's if the operator pays for it (`paid`).
    Synchronous."""
    own = access.embedding_server(organization_id)
    if own is None:
        return operators_endpoint() if paid else None
    key = own.secret.value if own.secret is not None else ""
    return Endpoint(own.url, own.model, key, Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS))


async def question_vector(agent: AgentConfig, query: str) -> Question | None:
    """None where the agent's organisation has no vectors, or the endpoint gives none. Raises
    `Unavailable`."""
    if not query.strip():
        return None
    owner = agent.organization_id
    place = await database_step(endpoint_of, owner, paid=agent.platform_credentials)
    if place is None or time.monotonic() < Rests.until.get(place.url, 0.0):
        return None
    try:
        (found,) = await embed(place, [query], seconds=SECONDS)
    except NotEmbedded as failed:
        _rest(place.url)
        log.warning("searching by words alone: %s", failed)
        return None
    return Question(place.model, found)


def _rest(url: str) -> None:
    now = time.monotonic()
    resting = {at: until for at, until in Rests.until.items() if until > now}
    if len(resting) < MAX_RESTING:
        Rests.until = resting | {url: now + REST_SECONDS}
