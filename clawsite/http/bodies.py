"""The body of a request: how large it may be, and where it waits until it is whole."""

import re
from tempfile import SpooledTemporaryFile
from typing import IO, Self

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http.request import RawPostDataException

from engine.errors import ClawError, Unavailable

FILES = re.compile(r"(/a/[^/]+)?/api/files")
FACADES = re.compile(r"(/a/[^/]+)?/(v1/(chat/completions|responses)|api/ai-sdk/chat)")
DOCUMENTS = re.compile(r"(/a/[^/]+)?/api/agents/[^/]+/documents")
FORM_BYTES = 64 * 1024
"""The bytes that `multipart/form-data` may add to a document."""
MAX_LARGE = 8
"""Bodies beyond `CLAW_TRANSPORT_MAX_BYTES` that one process takes at once."""


def max_body(method: str, path: str) -> int:
    """The most bytes that the body of such a request may have; only documents and files are
    large, also those that come within a message, as base64."""
    if method == "POST" and FILES.fullmatch(path):
        return max(settings.CLAW_MAX_FILE_BYTES + FORM_BYTES, settings.CLAW_TRANSPORT_MAX_BYTES)
    if method == "POST" and FACADES.fullmatch(path):
        files = settings.CLAW_MAX_FILES_PER_MESSAGE * settings.CLAW_MAX_FILE_BYTES
        return int(settings.CLAW_TRANSPORT_MAX_BYTES) + files * 4 // 3
    if method == "POST" and DOCUMENTS.fullmatch(path):
        return max(settings.CLAW_MAX_DOCUMENT_BYTES + FORM_BYTES, settings.CLAW_TRANSPORT_MAX_BYTES)
    return int(settings.CLAW_TRANSPORT_MAX_BYTES)


class Body:
    """A body that is coming; one that is large waits on disk."""

    _large = 0  # those of this process that are coming

    def __init__(self, limit: int) -> None:
        self._limit, self._size, self._counted = limit, 0, False
        self._file: IO[bytes] = SpooledTemporaryFile(settings.CLAW_TRANSPORT_MAX_BYTES)  # noqa: SIM115

    def add(self, piece: bytes) -> None:
        """Raises `message_too_large`, and `unavailable` while too many others are large."""
        self._size += len(piece)
        if self._size > self._limit:
            raise ClawError("message_too_large", f"A body has at most {self._limit} bytes.")
        if self._size > settings.CLAW_TRANSPORT_MAX_BYTES and not self._counted:
            if Body._large >= MAX_LARGE:
                raise Unavailable("Too many documents are being sent, try again soon.")
            Body._large += 1
            self._counted = True
        self._file.write(piece)

    def whole(self) -> IO[bytes]:
        """The body as a file, to be read from its beginning; the receiver closes it."""
        self._file.seek(0)
        return self._file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Nothing more comes: another large one may. An incomplete body is closed."""
        if self._counted:
            Body._large -= 1
            self._counted = False
        if error is not None:
            self._file.close()


class ApiRequest(ASGIRequest):
    """A request whose body is bounded already, when its views run."""

    @property
    def body(self) -> bytes:
        """The whole body. Django's own refuses one of more than 2.5 MB."""
        if not hasattr(self, "_body"):
            if self._read_started:
                raise RawPostDataException
            self._body: bytes = self.read()
        return self._body
