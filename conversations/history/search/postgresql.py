"""Search on PostgreSQL (https://www.postgresql.org/docs/current/textsearch.html).

The index holds a function of the message, so it is in step by itself and no text is stored twice.
The function folds a text as `knowledge.search.terms.folded` does. Punctuation becomes a space: the
parser takes `a/b` and `example.com` for one word. Each character of a script without spaces is a
word, so that a part of a text is a phrase."""

from typing import Any

from conversations.history.search.terms import Terms
from knowledge.search.terms import ACCENTS, UNSPACED

MAX_CHARACTERS = 65536
"""Of a message that a search sees: PostgreSQL refuses to store a row whose words take 1 MiB."""
PUNCTUATION = (
    "[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f\uff01-\uff0f]+"
)
CHARACTER = UNSPACED.pattern.removesuffix("+")
FUNCTION = f"""
CREATE OR REPLACE FUNCTION conversations_words(said text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT to_tsvector('simple'::regconfig, regexp_replace(regexp_replace(
    normalize(regexp_replace(normalize(left(said, {MAX_CHARACTERS}), NFKD),
                             '{ACCENTS.pattern}', '', 'g'), NFKC),
    '{PUNCTUATION}', ' ', 'g'), '({CHARACTER})', ' \\1 ', 'g'))
$$
"""
INDEX = (
    FUNCTION,
    "DROP INDEX IF EXISTS conversations_message_words",  # of a migration that was cut short
    "CREATE INDEX CONCURRENTLY conversations_message_words"
    " ON conversations_message USING gin (conversations_words(content))",
)
"""The statements of the migration, outside of a transaction: writers do not wait for them."""
NO_INDEX = (
    "DROP INDEX conversations_message_words",
    "DROP FUNCTION conversations_words",
)


def condition(terms: Terms) -> tuple[str, list[Any]]:
    """A condition on the rows `message`: they have all of these terms, at least one."""
    plain = [f"'{word}'" for word in terms.words] + [f"'{word}':*" for word in terms.beginnings]
    query = ["%s::tsquery"] * bool(plain) + ["phraseto_tsquery('simple', %s)"] * len(terms.parts)
    values = [" & ".join(plain)] * bool(plain) + [" ".join(part) for part in terms.parts]
    return f"conversations_words(message.content) @@ ({' && '.join(query)})", values
