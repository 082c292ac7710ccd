"""HTML, parsed by lxml."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from knowledge.extraction.block import Block, NotReadable
from knowledge.extraction.texts import decoded

_DROPPED = """
script style noscript template svg math iframe object nav header footer aside form button select
dialog
"""
DROPPED = frozenset(_DROPPED.split())
"""Elements that are no text, or that every page of a site repeats."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = """
p li dt dd blockquote pre figcaption caption tr div section article main body td th ul ol table
address summary details
"""
BLOCKS = frozenset(_BLOCKS.split()) | HEADINGS.keys()
CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})""", re.IGNORECASE)
SPACES = re.compile(r"\s+")


def read_html(content: bytes) -> list[Block]:
    """The headings and paragraphs of a page, without its navigation."""
    tree = _parsed(content)
    body = tree.find("body")
    return list(_blocks(tree if body is None else body))


def title_of(content: bytes) -> str:
    """The `<title>` of a page; empty if there is none."""
    return SPACES.sub(" ", _parsed(content).findtext("head/title") or "").strip()


def _parsed(content: bytes) -> lxml_html.HtmlElement:
    declared = CHARSET.search(content[:4096])
    text = decoded(content, declared[1].decode() if declared else "")
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        return lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        raise NotReadable("This is no HTML that can be read.") from None


def _blocks(root: lxml_html.HtmlElement) -> Iterator[Block]:
    """Walks without recursion: a hostile page is nested deeply."""
    words: list[str] = []
    level = dropped = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in DROPPED:
            dropped += 1 if event == "start" else -1
        elif tag in BLOCKS and not dropped:
            if text := _joined(words):
                yield Block(text, level)
            words, level = [], HEADINGS.get(tag, 0) if event == "start" else 0
        elif tag == "br":
            words.append(" ")
        if not dropped:
            words.append((element.text if event == "start" and tag else element.tail) or "")
    if text := _joined(words):
        yield Block(text)


def _joined(words: list[str]) -> str:
    return SPACES.sub(" ", "".join(words)).strip()
