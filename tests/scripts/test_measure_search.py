"""`scripts.measure_search`: what it measures."""

import random

import pytest

from knowledge.models import Chunk, Document
from scripts.measure_search import WORDS_OF_CHUNK, fill, generated
from tests.knowledge.labelled import labelled


@pytest.mark.django_db
def test_it_works():
    documents, _ = labelled()
    agent_id = fill(300, documents)
    assert Chunk.objects.filter(agent=agent_id).count() == 300
    titles = Document.objects.filter(status="ready").values_list("title", flat=True)
    assert {*documents} < {*titles}


def test_the_texts_are_the_same_each_time():
    first, second = (next(generated(random.Random(1))) for _ in range(2))
    assert first == second and len(first.split()) == WORDS_OF_CHUNK
