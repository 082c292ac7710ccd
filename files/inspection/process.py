"""Inspection in a child process."""

import msgspec

from core.tasks.child import ChildFailed, run_child
from engine.errors import Unavailable
from files.inspection.result import Inspected, Refused

SECONDS = 30.0
"""Of the clock; the child's own bound is on its processor time."""
MAX_RESULT = 32 * 1024 * 1024
MAX_AT_ONCE = 4
"""Children of one process: each may take a gigabyte."""
TOO_MUCH = "The file could not be read within the time and the memory that a file has."
_running: set[object] = set()
_decode = msgspec.msgpack.Decoder(Inspected).decode


async def inspected(content: bytes) -> Inspected:
    """The file as it is kept. Raises `Refused`, and `Unavailable` while too many others are
    read. Cancelled, it ends the child."""
    if len(_running) >= MAX_AT_ONCE:
        raise Unavailable("Too many files are being read, try again soon.")
    place = object()
    _running.add(place)
    try:
        output = await run_child(
            "files.inspection", content=content, seconds=SECONDS, max_output=MAX_RESULT
        )
        found = _decode(output)
    except (ChildFailed, msgspec.DecodeError):
        raise Refused(TOO_MUCH) from None
    finally:
        _running.discard(place)
    if found.error:
        raise Refused(found.error)
    return found
