"""`knowledge.indexing`: from a document that is stored to one that is found."""

import asyncio

import pytest

from core.database import database_step
from engine.errors import Unavailable
from knowledge import access, indexing
from knowledge.indexing import Indexer, index_document
from knowledge.models import Chunk, Document, DocumentSource
from knowledge.search.search import search


async def stored(caller, content=b"# Refunds\n\nThey take five days.", kind="markdown"):
    return await database_step(
        access.add_document, caller, title="Money", kind=kind, content=content
    )


async def reloaded(row):
    return await database_step(Document.objects.get, pk=row.pk)


async def found(caller):
    return await database_step(search, caller.agent.id, "refunds", limit=5, tokens=100)


async def ended(row):
    async with asyncio.timeout(20):
        while (now := await reloaded(row)).status == Document.Status.QUEUED:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return now


async def test_it_works(caller):
    row, indexer = await stored(caller), Indexer()
    indexer.start()
    try:
        now = await ended(row)
    finally:
        await indexer.stop()
    assert (now.status, now.chunk_count, now.size) == ("ready", 1, 31)
    assert [source.excerpt for source, _ in await found(caller)] == ["They take five days."]
    assert not await database_step(DocumentSource.objects.exists)


async def test_b4_what_has_no_text_fails_and_says_why(caller):
    await stored(caller, b" ", "text")
    row = await database_step(access.claim_document)
    await index_document(row)
    now = await reloaded(row)
    assert (now.status, now.error[:7]) == ("failed", "no text")


async def test_p39_b4_a_deletion_while_it_is_indexed_leaves_nothing(caller, monkeypatch):
    await stored(caller)
    row = await database_step(access.claim_document)
    extract = indexing.extract

    async def deleted_meanwhile(kind, content):
        result = await extract(kind, content)
        await database_step(access.delete_document, await reloaded(row))
        return result

    monkeypatch.setattr(indexing, "extract", deleted_meanwhile)
    await index_document(row)
    for model in (Document, DocumentSource, Chunk):
        assert not await database_step(model.objects.exists)


async def test_a_document_is_one_process_at_a_time(caller):
    await stored(caller)
    assert await database_step(access.claim_document)
    assert await database_step(access.claim_document) is None


async def test_what_a_dead_process_had_is_taken_again(caller, monkeypatch):
    monkeypatch.setattr(access, "LEASE", -access.LEASE)
    await stored(caller)
    dead = await database_step(access.claim_document)
    await database_step(access.add_chunks, dead, [])
    row = await database_step(access.claim_document)
    assert row.attempts == 2
    await index_document(dead)  # it was only slow: the row is no longer its own
    assert (await reloaded(row)).status == "queued"
    await index_document(row)
    assert (await reloaded(row)).status == "ready"
    assert await database_step(Chunk.objects.count) == 1


async def test_a_document_that_kills_its_process_is_given_up(caller, monkeypatch):
    monkeypatch.setattr(access, "LEASE", -access.LEASE)
    await stored(caller)
    for _ in range(access.MAX_ATTEMPTS + 1):
        row = await database_step(access.claim_document)
    await index_document(row)
    assert (await reloaded(row)).status == "failed"


async def test_a_stop_gives_the_document_back(caller, monkeypatch):
    begun = asyncio.Event()

    async def endless(kind, content):
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(indexing, "extract", endless)
    row, indexer = await stored(caller), Indexer()
    indexer.start()
    await begun.wait()
    await indexer.stop()
    now = await reloaded(row)
    assert (now.status, now.claimed_until, now.attempts) == ("queued", None, 0)


async def test_without_a_database_it_waits(caller, monkeypatch, caplog):
    async def away(function, *args, **kwargs):
        raise Unavailable("away")

    monkeypatch.setattr(indexing, "database_step", away)
    indexer = Indexer()
    indexer.start()
    async with asyncio.timeout(5):
        while "put off" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await indexer.stop()


@pytest.mark.parametrize("count", [1, 250])
async def test_many_chunks_are_stored_in_steps(caller, count):
    paragraphs = "\n\n".join(f"Paragraph {n} of refunds. " + "word " * 200 for n in range(count))
    await stored(caller, paragraphs.encode())
    row = await database_step(access.claim_document)
    await index_document(row)
    assert (await reloaded(row)).chunk_count == count
