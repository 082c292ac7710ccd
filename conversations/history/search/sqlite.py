"""Search on SQLite (https://www.sqlite.org/fts5.html).

The index knows words only. It keeps no text, and triggers keep it in step with the messages. What
is written without spaces is looked for in the messages themselves, which costs 40 ms for 100,000 of
them."""

from typing import Any

from django.db import connection

from conversations.history.search.terms import Terms

MAX_CHARACTERS = 65536
"""Of a message that a search sees: the index of 4 MiB would hold up all who write."""
TEXT = f"substr({{row}}.content, 1, {MAX_CHARACTERS})"
ADD = f"INSERT INTO conversations_words (rowid, text) VALUES (new.id, {TEXT.format(row='new')});"
REMOVE = (
    "INSERT INTO conversations_words (conversations_words, rowid, text)"
    f" VALUES ('delete', old.id, {TEXT.format(row='old')});"
)
INDEX = (
    "CREATE VIRTUAL TABLE conversations_words USING"
    " fts5(text, content='', tokenize='unicode61 remove_diacritics 2')",
    "INSERT INTO conversations_words (rowid, text)"
    f" SELECT id, {TEXT.format(row='message')} FROM conversations_message message",
    "CREATE TRIGGER conversations_message_added AFTER INSERT ON conversations_message"
    f" BEGIN {ADD} END",
    "CREATE TRIGGER conversations_message_changed AFTER UPDATE OF content ON conversations_message"
    f" WHEN old.content <> new.content BEGIN {REMOVE} {ADD} END",
    "CREATE TRIGGER conversations_message_removed AFTER DELETE ON conversations_message"
    f" BEGIN {REMOVE} END",
)
"""The statements of the migration."""
NO_INDEX = (
    "DROP TRIGGER conversations_message_added",
    "DROP TRIGGER conversations_message_changed",
    "DROP TRIGGER conversations_message_removed",
    "DROP TABLE conversations_words",
)
MERGE = "INSERT INTO conversations_words (conversations_words, rank) VALUES ('merge', %s)"
PAGES = 200
"""Of the index that are merged in one transaction: some milliseconds."""


def condition(terms: Terms) -> tuple[str, list[Any]]:
    """A condition on the rows `message`: they have all of these terms, at least one."""
    conditions, values = [], []
    words = [f'"{word}"' for word in terms.words] + [f'"{word}" *' for word in terms.beginnings]
    if words:
        conditions.append(
            "message.id IN (SELECT rowid FROM conversations_words"
            " WHERE conversations_words MATCH %s)"
        )
        values.append(" AND ".join(words))
    for part in terms.parts:
        conditions.append(f"instr({TEXT.format(row='message')}, %s) > 0")
        values.append(part)
    return " AND ".join(conditions), values


def forget_deleted() -> None:
    """Take the words of deleted messages out of the index's pages, where FTS5 only crosses them
    out. Synchronous, in many transactions."""
    pages = -PAGES  # a negative number begins a merge of everything
    while _merge(pages):
        pages = PAGES


def _merge(pages: int) -> bool:
    """Whether there was something to do (https://www.sqlite.org/fts5.html#the_merge_command)."""
    connection.ensure_connection()
    before = connection.connection.total_changes
    with connection.cursor() as cursor:
        cursor.execute(MERGE, [pages])
    return bool(connection.connection.total_changes - before >= 2)
