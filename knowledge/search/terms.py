"""The terms of a question, as both databases search them, and the parts of words in a text."""

import re
import unicodedata
from typing import NamedTuple

WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
"""Runs of scripts that write no spaces between words: Thai, Lao, Burmese, Khmer, Japanese and
Chinese."""
ACCENTS = re.compile("[\u0300-\u036f]+")
GRAM = 3
"""Characters of a piece in such a run: SQLite's trigram index finds no shorter ones."""
SHORTEST_PART = 4
"""Characters of a word that is also looked for inside of others. Shorter ones are everywhere."""
SHORTEST_STEM = 5
MAX_QUERY = 2000
"""Characters of a question that are looked at."""
MAX_TERMS = 16
"""Of one question: bounds the work of one search."""
MAX_LENGTH = 64
MAX_PART = 16
"""Characters of a part of a word that tell it from others."""

_STOP_WORDS = """
    a about am an and any are as at be been but by can could did do does for from had has have how
    i if in into is it its me my no not of on or our so than that the their them then there these
    they this to us was we were what when where which who why will with would you your
    aber als am an auch auf aus bei bin bis das dass dem den der des die dies doch du ein eine einem
    einen einer er es für habe haben hat ich ihr im in ist ja kann kein keine können mein meine mich
    mit muss nach nicht noch nur oder sein sich sie sind so um und uns unser viel vom von vor wann
    war warum was welche welcher wer werden wie wieviel wird wir wo zu zum zur über
    al como con cuando cuál cuánto de del donde el en es esta este la las lo los mi no para por que
    qué se si sin son su sus un una y
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words of English, German and Spanish that say nothing about what a question is about."""


class Terms(NamedTuple):
    """`words` are matched as words, in any form; `parts` anywhere, also inside of a word."""

    words: list[str]
    parts: list[str]


def terms_of(query: str) -> Terms:
    """The terms of a question in any language. All of them are letters and digits in lower case,
    so no question means anything in the syntax of a search engine."""
    found = list(dict.fromkeys(WORD.findall(query[:MAX_QUERY].lower())))
    telling = [word for word in found if word not in STOP_WORDS] or found
    words = [word[:MAX_LENGTH] for word in telling[:MAX_TERMS]]
    parts = dict.fromkeys(part for word in words for part in _parts_to_find(word))
    return Terms(words, list(parts)[: 2 * MAX_TERMS])


def folded(text: str) -> str:
    """The text in lower case and without accents, so `Rückerstattung` is `ruckerstattung`."""
    bare = ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFKC", bare)


def parts_of(text: str) -> list[str]:
    """All that a part of a question is a beginning of, for an index that finds by beginnings: the
    endings of each word, and the pieces of what is written without spaces. Each is there once."""
    words = {word[:MAX_LENGTH] for word in WORD.findall(folded(text))}
    return list({part for word in words for part in _parts_to_keep(word)})


def _parts_to_find(word: str) -> list[str]:
    """The pieces of an unspaced run, or the word without what may be its ending: that finds
    `Rückerstattung` with `erstattungen`, which no stemmer of words does."""
    if UNSPACED.search(word):
        runs = UNSPACED.findall(word)
        return [run[i : i + GRAM] for run in runs for i in range(len(run) - GRAM + 1)]
    if len(word) < SHORTEST_PART:
        return []
    return [word[: max(min(len(word), SHORTEST_STEM), len(word) - 2)]]


def _parts_to_keep(word: str) -> list[str]:
    if UNSPACED.search(word):
        runs = UNSPACED.findall(word)
        return [run[i : i + GRAM] for run in runs for i in range(len(run) - GRAM + 1)]
    return [word[i : i + MAX_PART] for i in range(len(word) - SHORTEST_PART + 1)]
