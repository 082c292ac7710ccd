"""Extraction in a child process: the effects of a hostile file are over when it ends."""

import msgspec

from core.tasks.child import ChildFailed, run_child
from knowledge.extraction.block import NotReadable
from knowledge.extraction.result import Extracted

SECONDS = 90.0
"""Of the clock; the child's own bound is on its processor time."""
MAX_RESULT = 64 * 1024 * 1024
"""Bytes that are read of what a child says."""
TOO_MUCH = "The file could not be read within the time and the memory that a document has."
_decode = msgspec.json.Decoder(Extracted).decode


async def extract(kind: str, content: bytes) -> Extracted:
    """The passages of a file of this kind. Raises `NotReadable`. Cancelled, it ends the child."""
    try:
        output = await run_child(
            "knowledge.extraction", kind, content=content, seconds=SECONDS, max_output=MAX_RESULT
        )
        found = _decode(output)
    except (ChildFailed, msgspec.DecodeError):  # killed by its bounds, it says nothing whole
        raise NotReadable(TOO_MUCH) from None
    if found.error:
        raise NotReadable(found.error)
    return found
