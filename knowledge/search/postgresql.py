"""Search on PostgreSQL (https://www.postgresql.org/docs/current/textsearch.html): words by their
stems, and parts of words by the beginnings of all endings of words, each in a `tsvector`.

`ts_rank` does not know which words are rare, so each term is looked for by itself and weighed by
how few chunks have it. A term that too many have hardly counts, and is not counted to its end; two
neighbouring terms together are one more term. So a search costs about the same however much there
is. `ts_rank` reads a whole chunk, so only the best few are asked for it."""

from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from knowledge.models import Chunk
from knowledge.search.terms import MAX_PART, Terms, folded, parts_of

WORDS = (
    "ALTER TABLE knowledge_chunk ADD COLUMN words tsvector",
    "CREATE INDEX knowledge_chunk_words ON knowledge_chunk USING gin (words)",
)
PARTS = (
    "ALTER TABLE knowledge_chunk ADD COLUMN parts tsvector",
    "CREATE INDEX knowledge_chunk_parts ON knowledge_chunk USING gin (parts)",
)
"""The names that the migrations make."""

MOST = 500
"""Chunks that are looked at for one term."""

# The agent's id is a word of every chunk: so the index itself leaves out those of all others.
INDEX = """
UPDATE knowledge_chunk SET words = array_to_tsvector(ARRAY[agent_id]) || {vectors},
       parts = array_to_tsvector(string_to_array(given.parts, ' '))
  FROM unnest(%s::bigint[], %s::text[]) AS given (id, parts)
 WHERE knowledge_chunk.id = given.id
"""
VECTOR = "setweight(to_tsvector(%s::regconfig, heading), 'A') || to_tsvector(%s::regconfig, text)"

ANY_FORM = "plainto_tsquery(%s::regconfig, given)"
BEGINNING = "given::tsquery"

BEST = """
WITH single AS (
    SELECT term, query FROM unnest(%s::text[]) WITH ORDINALITY AS terms (given, term),
           LATERAL (SELECT {query} AS query) made WHERE numnode(query) > 0),
asked AS (
    SELECT term, %s::tsquery && query AS query FROM single
     UNION ALL
    SELECT -one.term, %s::tsquery && one.query && two.query
      FROM single one JOIN single two ON two.term = one.term + 1),
found AS MATERIALIZED (
    SELECT term, query, hit.id, document_id FROM asked CROSS JOIN LATERAL (
        SELECT id, document_id FROM knowledge_chunk WHERE {column} @@ query LIMIT {most}) hit),
hits AS (
    SELECT term, query, found.id FROM found JOIN knowledge_document document
        ON document.id = document_id AND agent_id = %s AND status = 'ready'),
total AS (
    SELECT coalesce(sum(chunk_count), 0)::float AS chunks FROM knowledge_document
     WHERE agent_id = %s AND status = 'ready'),
weights AS (
    SELECT term, CASE WHEN count(*) < {most}
                      THEN ln(1 + greatest(chunks - count(*), 0) / count(*) + 0.1)
                      ELSE 0.05 END AS weight
      FROM hits, total GROUP BY term, chunks),
best AS (
    SELECT id, sum(weight) AS score FROM hits JOIN weights USING (term)
     GROUP BY id ORDER BY score DESC, id LIMIT %s)
"""
WORDS_RANKED = """
SELECT id FROM best JOIN hits USING (id) JOIN weights USING (term) JOIN knowledge_chunk USING (id)
 GROUP BY id ORDER BY sum(weight * (0.1 + ts_rank(words, query, 1))) DESC, id
"""
PARTS_RANKED = "SELECT id FROM best ORDER BY score DESC, id"


def index(chunks: Iterable[Chunk]) -> None:
    """Index new chunks within the present transaction."""
    languages = settings.CLAW_SEARCH_LANGUAGES
    vectors = " || ".join([VECTOR] * len(languages))
    values = [language for language in languages for _ in range(2)]
    given = {
        chunk.pk: " ".join([chunk.agent_id, *parts_of(f"{chunk.heading} {chunk.text}")])
        for chunk in chunks
    }
    with connection.cursor() as cursor:
        cursor.execute(INDEX.format(vectors=vectors), [*values, list(given), list(given.values())])


def rankings(agent_id: str, terms: Terms, limit: int) -> list[list[int]]:
    """The ids of the chunks that words and parts of words find, the best first. Synchronous."""
    languages = settings.CLAW_SEARCH_LANGUAGES
    forms = " || ".join([ANY_FORM] * len(languages))
    words = BEST.format(column="words", query=forms, most=MOST) + WORDS_RANKED
    parts = BEST.format(column="parts", query=BEGINNING, most=MOST) + PARTS_RANKED
    beginnings = [f"{folded(part)[:MAX_PART]}:*" for part in terms.parts]
    mine = [f"'{agent_id}'"] * 2 + [agent_id] * 2
    return [
        _found(words, [terms.words, *languages, *mine, limit]),
        _found(parts, [beginnings, *mine, limit]),
    ]


def _found(statement: str, values: list[object]) -> list[int]:
    if not values[0]:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]
