"""`knowledge.embeddings.nearest`."""

from core.database import database_step
from knowledge import access
from knowledge.embeddings import nearest as module
from knowledge.embeddings.nearest import nearest
from knowledge.embeddings.vectors import vector
from knowledge.models import Chunk, Document, Embedding
from tests.knowledge.embeddings.endpoint import trigrams


def embedded(add, caller, title, text, model="small"):
    row = add(caller, title, text)
    chunk = Chunk.objects.get(document=row)
    each = vector(trigrams(text))
    fields = {"model": model, "values": each.values, "signs": each.signs}
    Embedding.objects.create(chunk=chunk, agent_id=row.agent_id, **fields)
    return chunk


def found(caller, text, limit=5, model="small", dimensions=1024):
    return nearest(caller.agent.id, model, vector(trigrams(text, dimensions)), limit)


def test_it_works(caller, add):
    refunds = embedded(add, caller, "Money", "refunds of all purchases")
    parking = embedded(add, caller, "Cars", "guests park in the yard")
    assert found(caller, "the refund of a purchase") == [refunds.pk, parking.pk]
    assert found(caller, "where may I park") == [parking.pk, refunds.pk]
    assert found(caller, "where may I park", limit=1) == [parking.pk]


def test_only_vectors_of_this_model_and_size_are_compared(caller, add):
    embedded(add, caller, "Money", "refunds", model="other")
    assert found(caller, "refunds") == []
    assert found(caller, "refunds", model="other", dimensions=512) == []


def test_vectors_of_other_agents_are_not_found(caller, stranger, add):
    embedded(add, caller, "Money", "refunds")
    assert found(stranger, "refunds") == []


def test_p39_b4_the_vectors_of_a_deleted_document_are_gone(caller, add):
    chunk = embedded(add, caller, "Money", "refunds")
    access.delete_document(chunk.document)
    assert found(caller, "refunds") == []
    assert not Embedding.objects.exists()


def test_what_is_not_ready_is_not_found(caller, add):
    embedded(add, caller, "Money", "refunds")
    Document.objects.update(status="queued")
    assert found(caller, "refunds") == []


def test_the_signs_choose_what_is_compared_whole(caller, add, monkeypatch):
    monkeypatch.setattr(module, "COMPARED", 1)
    refunds = embedded(add, caller, "Money", "refunds of all purchases")
    embedded(add, caller, "Cars", "guests park in the yard")
    assert found(caller, "the refund of a purchase") == [refunds.pk]


async def test_it_is_used_from_a_database_step(caller):
    assert await database_step(found, caller, "refunds") == []
