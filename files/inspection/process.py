"""Inspection in a child process."""

import msgspec

from core.tasks.child import ChildFailed, run_child
from files.inspection.result import Inspected, Refused

SECONDS = 30.0
"""Of the clock; the child's own bound is on its processor time."""
MAX_RESULT = 32 * 1024 * 1024
TOO_MUCH = "The file could not be read within the time and the memory that a file has."
_decode = msgspec.msgpack.Decoder(Inspected).decode


async def inspected(content: bytes) -> Inspected:
    """What a file is, as it is kept. Raises `Refused`. Cancelled, it ends the child."""
    try:
        output = await run_child(
            "files.inspection", content=content, seconds=SECONDS, max_output=MAX_RESULT
        )
        found = _decode(output)
    except (ChildFailed, msgspec.DecodeError):
        raise Refused(TOO_MUCH) from None
    if found.error:
        raise Refused(found.error)
    return found
