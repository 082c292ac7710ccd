"""`knowledge.embeddings.indexing`: documents get vectors once they are found by words."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from core.database import database_step
from knowledge import access
from knowledge.embeddings.indexing import embed_document
from knowledge.embeddings.question import operators_endpoint as place
from knowledge.indexing import Indexer
from knowledge.models import Chunk, Document, Embedding
from knowledge.search.search import find
from tests.knowledge.conftest import add_document
from tests.knowledge.labelled import labelled


async def embedded(caller, title, text):
    row = await database_step(add_document, caller, title, text)
    return await again(row)


async def again(row):
    model = place().model
    claimed = await database_step(access.claim_without_vectors, model)
    assert claimed is not None and claimed.pk == row.pk
    await embed_document(claimed, place())
    return await database_step(Document.objects.get, pk=row.pk)


async def titles(caller, query):
    agent = replace(caller.agent, platform_credentials=True)
    return [source.title for source, _ in await find(agent, query, limit=5, tokens=8000)]


async def models():
    return await database_step(lambda: {*Embedding.objects.values_list("model", flat=True)})


async def test_it_works(caller, endpoint):
    row = await embedded(caller, "Money", "# Refunds\n\nThey take five days.")
    assert (row.status, row.embedded_by, row.error) == ("ready", "small", "")
    assert endpoint.texts == ["Money / Refunds\nThey take five days."]
    assert await database_step(access.claim_without_vectors, "small") is None
    assert await titles(caller, "takefive") == ["Money"]  # which no search by words finds


async def test_the_indexer_gives_vectors_to_new_documents(caller, endpoint):
    indexer = Indexer()
    await database_step(access.add_document, caller, title="A", kind="text", content=b"Refunds.")
    indexer.start()
    try:
        async with asyncio.timeout(20):
            while not await models():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await indexer.stop()


async def test_another_model_makes_new_vectors(caller, endpoint, settings):
    row = await embedded(caller, "Money", "Refunds.")
    settings.CLAW_EMBEDDINGS_MODEL, endpoint.dimensions = "large", 2048
    assert await titles(caller, "Refunds") == ["Money"]  # by words
    row = await again(row)
    assert (row.embedded_by, await models()) == ("large", {"large"})
    assert await titles(caller, "efund") == ["Money"]


async def test_without_the_endpoint_a_document_is_found_by_words_and_says_so(caller, endpoint):
    endpoint.answers = [(401, b"secret")]
    row = await embedded(caller, "Money", "Refunds.")
    assert (row.status, row.error) == (
        "ready",
        "Found by words only: The embeddings server answered with the status 401.",
    )
    assert await titles(caller, "refunds") == ["Money"]
    assert await database_step(access.claim_without_vectors, "small") is None  # not at once
    past = timezone.now() - timedelta(seconds=1)
    await database_step(Document.objects.filter(pk=row.pk).update, claimed_until=past)
    row = await again(row)
    assert (row.embedded_by, row.error) == ("small", "")


async def test_a_search_whose_vector_fails_goes_by_words(caller, endpoint):
    await embedded(caller, "Money", "Refunds.")
    endpoint.answers = [(500, b"")] * 3
    assert await titles(caller, "refunds") == ["Money"]


async def test_organisations_that_the_operator_does_not_pay_for_have_none(
    caller, endpoint, settings
):
    settings.CLAW_PLATFORM_CREDENTIALS = "command"
    await database_step(add_document, caller, "Money", "Refunds.")
    assert await database_step(access.claim_without_vectors, "small") is None


async def test_p39_b4_a_deletion_while_vectors_are_made_leaves_nothing(caller, endpoint):
    row = await database_step(add_document, caller, "Money", "Refunds.")
    claimed = await database_step(access.claim_without_vectors, "small")
    chunks = await database_step(access.chunks_after, claimed, 0, 10)
    await database_step(access.delete_document, row)
    await database_step(access.add_vectors, claimed, chunks, [], "small")
    assert not await database_step(Chunk.objects.exists)
    assert not await database_step(Embedding.objects.exists)


async def test_the_labelled_questions_find_their_documents_with_vectors(caller, endpoint):
    documents, questions = labelled()
    for title, text in documents.items():
        await embedded(caller, title, text)
    missed = [each for each in questions if each[1] not in await titles(caller, each[0])]
    recall = 1 - len(missed) / len(questions)
    print(f"recall@5 with vectors on {connection.vendor}: {recall:.3f}; missed: {missed}")
    assert recall >= 0.95, missed


async def test_a_stop_gives_the_document_back(caller, endpoint):
    row = await database_step(add_document, caller, "Money", "Refunds.")
    claimed = await database_step(access.claim_without_vectors, "small")
    await database_step(access.release_document, claimed)
    found = await database_step(Document.objects.get, pk=row.pk)
    assert (found.claimed_until, found.attempts) == (None, claimed.attempts)


async def test_an_organisation_has_vectors_of_its_own_server(caller, own_server):
    """With its own key, and for its own documents alone."""
    row = await database_step(add_document, caller, "Money", "Refunds take five days.")
    assert await Indexer()._next()
    row = await database_step(Document.objects.get, pk=row.pk)
    assert (row.embedded_by, await models()) == ("own", {"own"})
    agent = replace(caller.agent, platform_credentials=False)
    found = await find(agent, "refunds", limit=5, tokens=8000)
    assert [source.title for source, _ in found] == ["Money"]
    assert [body["model"] for _, body in own_server.requests] == ["own", "own"]
    assert all("authorization: Bearer sk-own" in head for head, _ in own_server.requests)
    assert not await Indexer()._next()


async def test_a_server_that_is_taken_away_leaves_what_is_found_by_words(caller, own_server):
    await database_step(add_document, caller, "Money", "Refunds take five days.")
    await database_step(access.remove_embedding_server, caller.principal.organization_id)
    assert not await Indexer()._next()
    assert (await titles(caller, "refunds"), own_server.requests) == (["Money"], [])
