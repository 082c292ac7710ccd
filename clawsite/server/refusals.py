"""Refusals of the server itself, in the envelope of every error: such a request never reaches the
application."""

import re
from collections.abc import Sequence
from http import HTTPStatus

from clawsite.http.errors import envelope
from engine.errors import ClawError
from engine.ids import new_id

LEAVE_SECONDS = 1.0
"""For a peer to take its last bytes. Its further bytes are read and dropped meanwhile: a socket
that is closed while more comes is reset, and the answer is lost with it."""

HOST = re.compile(rb"[\w.~!$&'()*+,;=%:\[\]-]*")  # RFC 3986, 3.2.2 and 3.2.3

BAD_REQUEST = ("invalid_message", "The request cannot be read.")
REFUSALS = {
    405: ("method_not_allowed", "A WebSocket is opened with GET."),
    414: ("message_too_large", "The address is too long."),
    426: ("invalid_message", "This is no WebSocket handshake."),
    431: ("message_too_large", "The headers are too large."),
    503: ("unavailable", "Try again soon."),
    505: ("invalid_message", "A WebSocket is opened with HTTP/1.1."),
}


def names_host(hosts: Sequence[bytes], version: str) -> bool:
    """Whether the Host fields of a request name its host (RFC 9112, 3.2). Of two a proxy may have
    looked at the other one; only HTTP/1.0 may have none."""
    if len(hosts) != 1:
        return not hosts and version == "1.0"
    return HOST.fullmatch(hosts[0]) is not None


def refusal(status: int, headers: dict[str, str] | None = None, detail: str = "") -> bytes:
    """A whole response, after which the connection ends; `detail` in place of the message."""
    request_id = new_id("req")
    if status == 413:
        code, message = "message_too_large", "The body has more bytes than this address takes."
    else:
        code, message = REFUSALS.get(status, BAD_REQUEST)
    body = envelope(ClawError(code, detail or message), request_id).content
    fields = {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
        "content-length": str(len(body)),
        "connection": "close",
        **(headers or {}),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + bytes(body)
