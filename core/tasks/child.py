"""Work on a stranger's bytes in a child process: what they do to it is over when it ends."""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from django.conf import settings

log = logging.getLogger(__name__)


class ChildFailed(Exception):
    """The child took too long or said too much, or its own bounds have ended it."""


async def run_child(
    module: str, *arguments: str, content: bytes, seconds: float, max_output: int
) -> bytes:
    """The output of `python -m module` for `content`, within so many seconds. The child
    bounds its memory and processor time itself. Raises `ChildFailed`. Cancelled, it ends the
    child."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-E", "-s", "-m", module, *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        cwd=settings.BASE_DIR,
        env={},  # no secret of ours is anywhere near a stranger's file
    )
    try:
        async with asyncio.timeout(seconds):
            _, output = await asyncio.gather(_give(child, content), _take(child, max_output))
            await child.wait()
    except TimeoutError:
        raise ChildFailed from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode:
        log.info("%s %s ended with %s", module, arguments, child.returncode)
        raise ChildFailed
    return output


async def _give(child: Process, content: bytes) -> None:
    assert child.stdin is not None
    with suppress(ConnectionError):  # it has read enough, or is dead: its answer says which
        child.stdin.write(content)
        await child.stdin.drain()
        child.stdin.close()


async def _take(child: Process, most: int) -> bytes:
    assert child.stdout is not None
    output = bytearray()
    while piece := await child.stdout.read(256 * 1024):
        output += piece
        if len(output) > most:
            raise TimeoutError
    return bytes(output)
