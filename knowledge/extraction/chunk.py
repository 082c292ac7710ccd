"""Chunks: passages of a document that follow its headings and paragraphs."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from knowledge.extraction.block import Block

WANTED = 900
"""Characters of a passage: about 200 tokens, a few paragraphs about one thing."""
MOST = 1400
"""No passage is longer; a paragraph that is, is cut between sentences, or between words."""
SENTENCE = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s*|\n")
BETWEEN = "\n\n"


class Passage(msgspec.Struct, frozen=True):
    """`text` is `[start:end]` of all blocks joined by blank lines; `headings` are above it, the
    outermost first."""

    text: str
    start: int
    end: int
    headings: list[str]
    page: int | None = None


class Draft:
    """The pieces of the passage that is being made."""

    def __init__(self, headings: Iterable[str] = ()) -> None:
        self.pieces: list[tuple[int, int, int | None]] = []
        self.headings = list(headings)

    @property
    def size(self) -> int:
        """Characters so far."""
        return self.pieces[-1][1] - self.pieces[0][0] if self.pieces else 0


def passages(blocks: list[Block]) -> Iterator[Passage]:
    """The passages of a document. One does not reach over a heading, nor from page to page."""
    whole = BETWEEN.join(block.text for block in blocks)
    path: dict[int, str] = {}
    draft, offset = Draft(), 0
    for block in blocks:
        begin, offset = offset, offset + len(block.text) + len(BETWEEN)
        if block.level:
            yield from _finished(draft, whole)
            path = {level: text for level, text in path.items() if level < block.level}
            path[block.level] = block.text[:200]
            draft = Draft(path.values())
            if len(block.text) > 200:  # what is no heading is not lost for its mark
                draft.pieces += [(*span, block.page) for span in _cut(block.text, begin)]
            continue
        for start, end in _cut(block.text, begin):
            other_page = bool(draft.pieces) and draft.pieces[-1][2] != block.page
            full = draft.size + end - start > MOST or draft.size >= WANTED
            if draft.pieces and (other_page or full):
                yield from _finished(draft, whole)
                draft = Draft(path.values())
            draft.pieces.append((start, end, block.page))
    yield from _finished(draft, whole)


def _finished(draft: Draft, whole: str) -> Iterator[Passage]:
    if draft.pieces:
        start, page = draft.pieces[0][0], draft.pieces[0][2]
        end = draft.pieces[-1][1]
        yield Passage(whole[start:end], start, end, draft.headings, page)


def _cut(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """The spans of a paragraph, each of at most `MOST` characters."""
    start = 0
    while len(text) - start > MOST:
        ends = [found.end() for found in SENTENCE.finditer(text, start + 1, start + MOST)]
        end = ends[-1] if ends else text.rfind(" ", start + 1, start + MOST) + 1
        end = end if end > start else start + MOST
        yield begin + start, begin + end
        start = end
    if start < len(text):
        yield begin + start, begin + len(text)
