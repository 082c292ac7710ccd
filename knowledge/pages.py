"""The text of a web page, for the tool that fetches it."""

from engine.tools.builtin.base import ToolFailed
from knowledge.extraction.block import NotReadable
from knowledge.extraction.process import extract


async def text_of_html(content: bytes) -> str:
    """The title and the text of a page without its navigation, extracted in a child process.

    Raises `ToolFailed`."""
    try:
        found = await extract("html", content)
    except NotReadable as error:
        raise ToolFailed(str(error)) from None
    parts, end = [found.title] if found.title else [], 0
    for passage in found.passages:
        parts.append(passage.text[max(0, end - passage.start) :])
        end = max(end, passage.end)
    return "\n\n".join(parts)
