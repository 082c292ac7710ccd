"""Indexes documents, one after the other, in every process that carries out runs."""

import asyncio
import logging
from collections.abc import Coroutine

from core.database import database_step
from core.tasks.background import Background, repeat
from engine.errors import Unavailable
from knowledge import access
from knowledge.embeddings.indexing import embed_document
from knowledge.embeddings.question import endpoint_of, operators_endpoint
from knowledge.extraction.block import NotReadable
from knowledge.extraction.process import extract
from knowledge.models import Document
from knowledge.web import fetch_document

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Between two looks for new documents, of one small query each."""
IN_ONE_STEP = 100
"""Chunks that are stored at once: SQLite takes some 50 ms for them, and others wait meanwhile."""
UNTITLED = "Untitled"
STUCK = "The document could not be read: its extraction failed again and again."


class Indexer:
    """Takes documents from the table, where each is claimed by one process at a time. The claims of
    a dead process are taken again when they are over."""

    def __init__(self) -> None:
        self._background = Background()

    def start(self) -> None:
        """Begin to take documents."""
        self._background.start(repeat(self._next, POLL_SECONDS, log, "indexing is put off"))

    async def stop(self) -> None:
        """End it; the document that is being read is given back."""
        await self._background.stop()

    async def _next(self) -> bool:
        """Do the next piece of work. Documents that no search finds come before those without
        vectors."""
        row = await database_step(access.claim_document)
        if row is not None:
            await self._do(row, index_document(row))
            return True
        operators = operators_endpoint()
        model = operators.model if operators is not None else None
        row = await database_step(access.claim_without_vectors, model)
        if row is None:
            return False
        await self._do(row, self._embed(row))
        return True

    async def _embed(self, row: Document) -> None:
        place = await database_step(endpoint_of, row.organization_id, paid=True)
        if place is None:  # it was taken away meanwhile
            await database_step(access.release_document, row)
        else:
            await embed_document(row, place)

    async def _do(self, row: Document, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Unavailable:
            raise
        except asyncio.CancelledError:
            await database_step(access.release_document, row)
            raise
        except Exception:  # a defect that one document meets must not keep the others waiting
            log.exception("document %s could not be indexed", row.pk)


async def index_document(row: Document) -> None:
    """Index a claimed document: to `ready` or `failed`. Raises `Unavailable`."""
    if row.attempts > access.MAX_ATTEMPTS:
        await database_step(access.fail_document, row, STUCK)
        return
    try:
        content = await _content(row)
        found = await extract(row.kind, content)
    except NotReadable as error:
        await database_step(access.fail_document, row, str(error))
        return
    row.title, row.size = row.title or found.title or UNTITLED, len(content)
    await database_step(access.begin_document, row)
    for begin in range(0, len(found.passages), IN_ONE_STEP):
        some = found.passages[begin : begin + IN_ONE_STEP]
        await database_step(access.add_chunks, row, some)
    await database_step(access.finish_document, row)


async def _content(row: Document) -> bytes:
    """The bytes of a document. Those of a page are fetched, and say of which kind they are."""
    if not row.url:
        return await database_step(access.source, row)
    row.kind, content = await fetch_document(row.url)
    return content
