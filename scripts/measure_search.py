"""Measure a search of many chunks on PostgreSQL, in a database that is dropped afterwards:

    DATABASE_URL=postgres://... python -m scripts.measure_search [CHUNKS]

The documents are the labelled ones of the tests among generated ones, whose words are as frequent
as those of a language (Zipf's law). The questions are the labelled ones.
The times include whatever else the machine does."""

import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import accumulate

import django

ROUNDS = 5
"""The first one reads from the disk what the others find in memory."""
VOCABULARY = 30_000
WORDS_OF_CHUNK = 140
CHUNKS_OF_DOCUMENT = 250
_SYLLABLES = """
    ba be bi bo bu da de di do du fa fe ga ge gi go ha he in ka ke ki ko la le li lo ma me mi mo na
    ne ni no pa pe ra re ri ro sa se si so ta te ti to un va ve vi wa wi za zo ment able ing keit
"""
SYLLABLES = _SYLLABLES.split()


def main() -> None:
    """Fill the database and print the times of the searches, and the recall."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clawsite.settings")
    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    made = setup_databases(verbosity=0, interactive=False)
    try:
        measure(count)
    finally:
        teardown_databases(made, verbosity=0)


def measure(count: int) -> None:
    """Print the times in milliseconds of searches of `count` chunks."""
    from django.db import connection

    from knowledge.search.search import search
    from tests.knowledge.labelled import labelled

    documents, questions = labelled()
    began = time.perf_counter()
    agent_id = fill(count, documents)
    took = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE knowledge_chunk")
        cursor.execute("SELECT pg_total_relation_size('knowledge_chunk')")
        (size,) = cursor.fetchone()
    print(f"{count} chunks, indexed in {took:.0f} s, {size / 2**20:.0f} MiB with all indexes")
    for number in range(1, ROUNDS + 1):
        times, hits = [], 0
        for query, title in questions:
            began = time.perf_counter()
            found = search(agent_id, query, limit=5, tokens=8000)
            times.append((time.perf_counter() - began) * 1000)
            hits += title in [source.title for source, _ in found]
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"round {number} of {len(times)} questions: median {statistics.median(times):.1f} ms,"
            f" p95 {p95:.1f} ms, max {max(times):.1f} ms; recall@5 {hits / len(times):.3f}"
        )


def fill(count: int, documents: dict[str, str]) -> str:
    """Store and index the documents among generated ones; returns the id of their agent."""
    from accounts.models import Organization
    from agents.models import Agent
    from knowledge import access
    from knowledge.extraction.chunk import Passage
    from knowledge.models import Document

    organization = Organization.objects.create(name="Measured")
    agent = Agent.objects.create(organization=organization, name="Measured", slug="measured")
    chance = random.Random(1)

    def add(title: str, texts: list[str]) -> None:
        Document.objects.create(organization=organization, agent=agent, title=title, kind="text")
        row = access.claim_document()
        assert row is not None
        row.title = title
        for begin in range(0, len(texts), 100):
            some = texts[begin : begin + 100]
            access.add_chunks(row, [Passage(text, 0, len(text), []) for text in some])
        access.finish_document(row)

    text = generated(chance)
    for number in range(0, count - len(documents), CHUNKS_OF_DOCUMENT):
        more = min(CHUNKS_OF_DOCUMENT, count - len(documents) - number)
        add(f"Generated {number}", [next(text) for _ in range(more)])
    for title, body in documents.items():
        add(title, [body])
    return agent.pk


def generated(chance: random.Random) -> Iterator[str]:
    """Endless texts of one chunk each. A part of their words are those of the questions."""
    from tests.knowledge.labelled import labelled

    documents, questions = labelled()
    known = " ".join([*documents.values(), *(query for query, _ in questions)]).split()
    words = list(dict.fromkeys(known))
    while len(words) < VOCABULARY:
        words.append("".join(chance.choices(SYLLABLES, k=chance.randint(2, 5))))
    chance.shuffle(words)
    weights = list(accumulate(1 / (place + 10) for place in range(len(words))))
    while True:
        yield " ".join(chance.choices(words, cum_weights=weights, k=WORDS_OF_CHUNK))


if __name__ == "__main__":
    main()
