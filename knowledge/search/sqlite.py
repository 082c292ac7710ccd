"""Search on SQLite (https://www.sqlite.org/fts5.html): an index of words and one of trigrams.

Neither is enough: only the first finds "Refunds" by "refund", only the second finds a part of a
word, and Chinese. Their rankings are fused by `knowledge.search.fusion`."""

from django.db import connection

from knowledge.search.terms import Terms

INDEXES = (
    "CREATE VIRTUAL TABLE knowledge_words USING fts5(heading, text, content='knowledge_chunk',"
    " content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')",
    "CREATE VIRTUAL TABLE knowledge_trigrams USING fts5(heading, text, content='knowledge_chunk',"
    " content_rowid='id', tokenize='trigram')",
    """CREATE TRIGGER knowledge_chunk_added AFTER INSERT ON knowledge_chunk BEGIN
    INSERT INTO knowledge_words (rowid, heading, text) VALUES (new.id, new.heading, new.text);
    INSERT INTO knowledge_trigrams (rowid, heading, text) VALUES (new.id, new.heading, new.text);
    END""",
    """CREATE TRIGGER knowledge_chunk_removed AFTER DELETE ON knowledge_chunk BEGIN
    INSERT INTO knowledge_words (knowledge_words, rowid, heading, text)
    VALUES ('delete', old.id, old.heading, old.text);
    INSERT INTO knowledge_trigrams (knowledge_trigrams, rowid, heading, text)
    VALUES ('delete', old.id, old.heading, old.text);
    END""",
)
"""The name that the migration makes. A chunk is never changed, so there is no trigger for that."""

SEARCH = """
SELECT chunk.id FROM {index} JOIN knowledge_chunk chunk ON chunk.id = {index}.rowid
  JOIN knowledge_document document ON document.id = chunk.document_id AND document.status = 'ready'
 WHERE {index} MATCH %s AND chunk.agent_id = %s
 ORDER BY bm25({index}, 2.0, 1.0), chunk.id LIMIT %s
"""


def rankings(agent_id: str, terms: Terms, limit: int) -> list[list[int]]:
    """The ids of the chunks that each index finds, the best first. Synchronous."""
    return [
        _found("knowledge_words", terms.words, agent_id, limit),
        _found("knowledge_trigrams", terms.parts, agent_id, limit),
    ]


def _found(index: str, terms: list[str], agent_id: str, limit: int) -> list[int]:
    if not terms:
        return []
    match = " OR ".join(f'"{term}"' for term in terms)
    with connection.cursor() as cursor:
        cursor.execute(SEARCH.format(index=index), [match, agent_id, limit])
        return [row[0] for row in cursor.fetchall()]
