"""Large responses wait for their reader on disk."""

import logging
from collections.abc import AsyncGenerator
from tempfile import TemporaryFile
from typing import IO

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

log = logging.getLogger(__name__)

LARGE = 256 * 1024  # bytes that a reader who is slow, or stalled, may hold in memory
PIECE = 64 * 1024


def on_disk(response: HttpResponseBase) -> HttpResponseBase:
    """The same response; if it is large, its body is in a file without a name that goes with it.

    The server waits for the reader before each piece, and cuts one that does not read."""
    if not isinstance(response, HttpResponse) or len(response.content) <= LARGE:
        return response
    try:
        file = written(response.content)
    except OSError:  # a full disk is no reason to refuse an answer that is here
        log.warning("a large response stays in memory", exc_info=True)
        return response
    headers = dict(response.headers) | {"Content-Length": str(len(response.content))}
    stream = StreamingHttpResponse(_pieces(file), status=response.status_code, headers=headers)
    stream._resource_closers.append(file.close)
    return stream


def written(content: bytes) -> IO[bytes]:
    """A file without a name that holds it, to be read from its beginning. Raises OSError."""
    file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the response
    try:
        file.write(content)
        file.seek(0)
    except OSError:
        file.close()
        raise
    return file


async def _pieces(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    while piece := file.read(PIECE):
        yield piece
