"""`knowledge.access`: the bounds of an agent's documents, and their end."""

import pytest

from engine.errors import ClawError
from knowledge import access
from knowledge.models import Chunk, Document


def test_it_works(caller, add):
    add(caller, "Money", "Refunds.")
    access.add_document(caller, title="Later", kind="text", content=b"x")
    assert access.counts(caller.agent.id) == (1, 1)


def test_an_agent_has_so_many_documents(caller, monkeypatch):
    monkeypatch.setattr(access, "MAX_DOCUMENTS", 1)
    access.add_document(caller, title="One", kind="text", content=b"x")
    with pytest.raises(ClawError, match="at most 1 documents"):
        access.add_document(caller, title="Two", kind="text", content=b"x")


def test_an_agents_documents_go_in_steps(caller, add, monkeypatch):
    monkeypatch.setattr(access, "MAX_ERASED", 2)
    for number in range(3):
        add(caller, f"Doc {number}", "Refunds.")
    assert access.erase_documents(caller.agent.id)
    assert Document.objects.count() == 1
    assert access.erase_documents(caller.agent.id)
    assert not access.erase_documents(caller.agent.id)
    assert not Chunk.objects.exists()
