"""The conversations in which something was said."""

from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from conversations.history.search import postgresql, sqlite
from conversations.history.search.terms import terms_of

SAID = """
SELECT message.conversation_id FROM conversations_message message
 WHERE NOT message.replaced AND
"""


def said(q: str) -> Q:
    """Selects the conversations with a message that has all words of a search, as they are or as
    the beginnings of words. None, if the search has no word."""
    terms = terms_of(q)
    if not any(terms):
        return Q(pk__in=[])
    database: Any = sqlite if connection.vendor == "sqlite" else postgresql
    condition, values = database.condition(terms)
    return Q(pk__in=RawSQL(f"{SAID} {condition}", values))


def forget_deleted() -> None:
    """Leave nothing of deleted messages in an index of SQLite; PostgreSQL's own cleaning does that
    for its. Synchronous, in many short transactions."""
    if connection.vendor == "sqlite":
        sqlite.forget_deleted()
