"""Vectors for documents that are found by words already."""

import logging

from core.database import database_step
from knowledge import access
from knowledge.embeddings.client import Endpoint, NotEmbedded, embed
from knowledge.models import Document

log = logging.getLogger(__name__)

SECONDS = 30.0
"""For one request of many passages."""
IN_ONE_STEP = 256
"""Passages whose vectors are stored at once."""
ONLY_BY_WORDS = "Found by words only: "


async def embed_document(row: Document, endpoint: Endpoint) -> None:
    """Give all chunks of a claimed document vectors of the endpoint's model. If the endpoint gives
    none, the document says so and is tried again later. Raises `Unavailable`."""
    last = 0
    try:
        while chunks := await database_step(access.chunks_after, row, last, IN_ONE_STEP):
            texts = [f"{chunk.heading}\n{chunk.text}" for chunk in chunks]
            vectors = await embed(endpoint, texts, seconds=SECONDS)
            await database_step(access.add_vectors, row, chunks, vectors, endpoint.model)
            last = chunks[-1].pk
    except NotEmbedded as failed:
        log.warning("document %s has no vectors: %s", row.pk, failed)
        await database_step(access.put_off_vectors, row, f"{ONLY_BY_WORDS}{failed}")
        return
    await database_step(access.finish_vectors, row, endpoint.model)
