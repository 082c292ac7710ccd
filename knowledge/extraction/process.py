"""Extraction in a child process: what a hostile file does to it is over when it ends."""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

import msgspec
from django.conf import settings

from knowledge.extraction.block import NotReadable
from knowledge.extraction.result import Extracted

log = logging.getLogger(__name__)

SECONDS = 90.0
"""Of the clock; the child's own bound is on its processor time."""
MAX_RESULT = 64 * 1024 * 1024
"""Bytes that are read of what a child says."""
TOO_MUCH = "The file could not be read within the time and the memory that a document has."
_decode = msgspec.json.Decoder(Extracted).decode


async def extract(kind: str, content: bytes) -> Extracted:
    """The passages of a file of this kind. Raises `NotReadable`. Cancelled, it ends the child."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-E", "-s", "-m", "knowledge.extraction", kind),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        cwd=settings.BASE_DIR,
        env={},  # no secret of ours is anywhere near a stranger's file
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, output = await asyncio.gather(_give(child, content), _take(child))
            await child.wait()
        found = _decode(output)
    except (TimeoutError, msgspec.DecodeError):  # killed by its bounds, it says nothing whole
        log.info("the extraction of a %s ended with %s", kind, child.returncode)
        raise NotReadable(TOO_MUCH) from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if found.error:
        raise NotReadable(found.error)
    return found


async def _give(child: Process, content: bytes) -> None:
    assert child.stdin is not None
    with suppress(ConnectionError):  # it has read enough, or is dead: its answer says which
        child.stdin.write(content)
        await child.stdin.drain()
        child.stdin.close()


async def _take(child: Process) -> bytes:
    assert child.stdout is not None
    output = bytearray()
    while piece := await child.stdout.read(256 * 1024):
        output += piece
        if len(output) > MAX_RESULT:
            raise TimeoutError
    return bytes(output)
