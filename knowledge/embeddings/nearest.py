"""The chunks of an agent whose vectors are near to that of a question."""

from heapq import nsmallest

from django.db import connection

from knowledge import access
from knowledge.embeddings.bits import in_digits
from knowledge.embeddings.vectors import Vector, cosine, distance

COMPARED = 200
"""Vectors that are read whole, of those whose signs agree best."""

POSTGRESQL = """
SELECT chunk_id FROM knowledge_embedding
 WHERE agent_id = %s AND model = %s AND length(signs) = %s
 ORDER BY bit_count(signs # %s::bit varying), chunk_id LIMIT %s
"""


def nearest(agent_id: str, model: str, asked: Vector, limit: int) -> list[int]:
    """The ids of at most `limit` chunks, the nearest first. Only vectors of this model are
    compared, and of as many dimensions. Synchronous."""
    similar = _by_sql if connection.vendor == "postgresql" else _by_hand
    values = access.vector_values(similar(agent_id, model, asked.signs))
    found = [(-cosine(asked.values, of_chunk), chunk_id) for chunk_id, of_chunk in values]
    return [chunk_id for _, chunk_id in sorted(found)[:limit]]


def _by_sql(agent_id: str, model: str, signs: bytes) -> list[int]:
    with connection.cursor() as cursor:
        values = [agent_id, model, len(signs) * 8, in_digits(signs), COMPARED]
        cursor.execute(POSTGRESQL, values)
        return [row[0] for row in cursor.fetchall()]


def _by_hand(agent_id: str, model: str, signs: bytes) -> list[int]:
    found = (
        (distance(signs, of_chunk), chunk_id)
        for chunk_id, of_chunk in access.vector_signs(agent_id, model)
        if len(of_chunk) == len(signs)
    )
    return [chunk_id for _, chunk_id in nsmallest(COMPARED, found)]
