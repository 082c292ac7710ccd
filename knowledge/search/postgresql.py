"""Search on PostgreSQL (https://www.postgresql.org/docs/current/textsearch.html): words by their
stems in `tsvector`, parts of words by `ILIKE`, with an index where `pg_trgm` is installed.

`ts_rank` does not know which words are rare, so each term is looked for by itself and weighed by
how few chunks have it. A term that too many have hardly counts, and is not counted to its end: so
a search costs about the same however much there is."""

from django.conf import settings
from django.db import connection

from knowledge.search.terms import Terms

COLUMN = (
    "ALTER TABLE knowledge_chunk ADD COLUMN words tsvector",
    "CREATE INDEX knowledge_chunk_words ON knowledge_chunk USING gin (words)",
)
TRIGRAMS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX knowledge_chunk_trigrams ON knowledge_chunk"
    " USING gin ((heading || ' ' || text) gin_trgm_ops)",
)
"""What the migration makes; without the right to make the extension there is no index of trigrams,
and the same statements read all chunks of the agent."""

MOST = 500
"""Chunks that are looked at for one term."""

# The agent's id is a word of every chunk: so the index itself leaves out those of all others.
INDEX = """
UPDATE knowledge_chunk SET words = array_to_tsvector(ARRAY[agent_id]) || {vectors}
 WHERE document_id = %s AND words IS NULL
"""
VECTOR = "setweight(to_tsvector(%s::regconfig, heading), 'A') || to_tsvector(%s::regconfig, text)"

SEARCH = """
WITH hits AS ({hits}),
total AS (
    SELECT coalesce(sum(chunk_count), 0)::float AS chunks FROM knowledge_document
     WHERE agent_id = %s AND status = 'ready'),
weights AS (
    SELECT term, CASE WHEN count(*) < {most}
                      THEN ln(1 + greatest(chunks - count(*), 0) / count(*) + 0.1)
                      ELSE 0.05 END AS weight
      FROM hits, total GROUP BY term, chunks)
SELECT id FROM hits JOIN weights USING (term)
 GROUP BY id ORDER BY sum(rank * weight) DESC, id LIMIT %s
"""
WORD_HITS = """
(SELECT {term} AS term, chunk.id, 0.1 + ts_rank(words, query, 1) AS rank
   FROM (SELECT {queries} AS query) asked, knowledge_chunk chunk
   JOIN knowledge_document document ON document.id = document_id AND status = 'ready'
  WHERE words @@ (%s::tsquery && query) AND chunk.agent_id = %s LIMIT {most})
"""
PART_HITS = """
(SELECT {term} AS term, chunk.id, 1 AS rank FROM knowledge_chunk chunk
   JOIN knowledge_document document ON document.id = document_id AND status = 'ready'
  WHERE chunk.agent_id = %s AND heading || ' ' || text ILIKE %s LIMIT {most})
"""


def index(document_id: str) -> None:
    """Index the chunks of a document that are not yet indexed, within the present transaction."""
    languages = settings.CLAW_SEARCH_LANGUAGES
    vectors = " || ".join([VECTOR] * len(languages))
    values = [language for language in languages for _ in range(2)]
    with connection.cursor() as cursor:
        cursor.execute(INDEX.format(vectors=vectors), [*values, document_id])


def rankings(agent_id: str, terms: Terms, limit: int) -> list[list[int]]:
    """The ids of the chunks that words and parts of words find, the best first. Synchronous."""
    languages = settings.CLAW_SEARCH_LANGUAGES
    queries = " || ".join(["plainto_tsquery(%s::regconfig, %s)"] * len(languages))
    mine = f"'{agent_id}'"
    word_values, part_values = [], []
    for word in terms.words:
        word_values += [value for language in languages for value in (language, word)]
        word_values += [mine, agent_id]
    for part in terms.parts:
        part_values += [agent_id, f"%{part}%"]
    return [
        _found(
            WORD_HITS.replace("{queries}", queries),
            len(terms.words),
            [*word_values, agent_id],
            limit,
        ),
        _found(PART_HITS, len(terms.parts), [*part_values, agent_id], limit),
    ]


def _found(branch: str, count: int, values: list[str], limit: int) -> list[int]:
    if not count:
        return []
    hits = " UNION ALL ".join(branch.format(term=term, most=MOST) for term in range(count))
    with connection.cursor() as cursor:
        cursor.execute(SEARCH.format(hits=hits, most=MOST), [*values, limit])
        return [row[0] for row in cursor.fetchall()]
