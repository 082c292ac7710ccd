"""The terms of a search, the same for both databases."""

from typing import NamedTuple

from knowledge.search.terms import UNSPACED, WORD, folded

MAX_TERMS = 8
"""Of one search; more say nothing that these do not."""
MAX_LENGTH = 64
SHORTEST_BEGINNING = 3
"""Characters of a term that is also found as the beginning of a word: shorter ones begin so many
words that their search would read the whole index."""


class Terms(NamedTuple):
    """`words` and `beginnings` of words, in lower case and without accents, and `parts` of texts in
    scripts that write no spaces between words. A message fits if it has all of them. They are
    letters and digits only, so no search means anything in the syntax of a search engine."""

    words: list[str]
    beginnings: list[str]
    parts: list[str]


def terms_of(q: str) -> Terms:
    """The terms of what a person looks for."""
    text = folded(q)
    parts = list(dict.fromkeys(UNSPACED.findall(text)))[:MAX_TERMS]
    spaced = WORD.findall(UNSPACED.sub(" ", text))
    telling = [word[:MAX_LENGTH] for word in dict.fromkeys(spaced)][:MAX_TERMS]
    return Terms(
        [word for word in telling if len(word) < SHORTEST_BEGINNING],
        [word for word in telling if len(word) >= SHORTEST_BEGINNING],
        [part[:MAX_LENGTH] for part in parts],
    )
