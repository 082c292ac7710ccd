"""Finds the passages of an agent's documents that a question is about."""

from types import ModuleType

from django.db import connection

from agents.config import AgentConfig
from core.database import database_step
from engine.events import Source
from engine.usage import estimate_tokens
from knowledge import access
from knowledge.embeddings.nearest import nearest
from knowledge.embeddings.question import Question, question_vector
from knowledge.models import Chunk
from knowledge.search import postgresql, sqlite
from knowledge.search.fusion import fuse
from knowledge.search.terms import terms_of

BACKENDS: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}
CANDIDATES = 50
"""Of each ranking."""
MAX_RESULTS = 20


async def find(
    agent: AgentConfig, query: str, *, limit: int, tokens: int
) -> list[tuple[Source, float]]:
    """The passages of `search`, also by the vector of the question where the agent has vectors.
    Raises `Unavailable`."""
    question = await question_vector(agent, query)
    bounds = {"limit": limit, "tokens": tokens}
    return await database_step(search, agent.id, query, question=question, **bounds)


def search(
    agent_id: str, query: str, *, limit: int, tokens: int, question: Question | None = None
) -> list[tuple[Source, float]]:
    """At most `limit` passages of at most `tokens` tokens together, the best first, each with its
    score: one ranking over all documents. Any text is a valid query. Synchronous."""
    backend = BACKENDS[connection.vendor]
    rankings = backend.rankings(agent_id, terms_of(query), CANDIDATES)
    if question is not None:
        rankings.append(nearest(agent_id, question.model, question.vector, CANDIDATES))
    scored = fuse(rankings)[:limit]
    rows = access.chunks(agent_id, [id_ for id_, _ in scored])
    found: list[tuple[Source, float]] = []
    for id_, score in scored:
        chunk = rows.get(id_)  # None: deleted since it was found
        if chunk is None or (tokens := tokens - estimate_tokens(len(chunk.text))) < 0:
            continue
        found.append((_source(chunk), round(score, 6)))
    return found


def _source(chunk: Chunk) -> Source:
    return Source(
        document_id=chunk.document_id,
        title=chunk.document.title,
        url=chunk.document.url or None,
        chunk_id=chunk.pk,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        excerpt=chunk.text,
    )
