"""The headers that an MCP server is sent."""

import json
import re

from agents.models import McpServer
from engine.errors import invalid

MAX_HEADERS = 20
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]{0,4096}")
"""As RFC 9110, 5.1 and 5.5 have them, in ASCII."""
OURS = frozenset(
    {"accept", "connection", "content-length", "content-type", "host", "transfer-encoding"}
    | {"mcp-session-id", "mcp-protocol-version", "last-event-id"}
)
"""Headers of HTTP and of the protocol itself, which nobody sets."""


def headers_of(server: McpServer) -> dict[str, str]:
    """The headers that the server is sent, by their names."""
    found: dict[str, str] = json.loads(server.headers)
    return found


def merged(headers: dict[str, str], given: dict[str, str | None]) -> dict[str, str]:
    """The headers with those that the request gives; None takes one away. Their
    names are not case-sensitive. Raises `invalid_message`."""
    found = dict(headers)
    for name, value in given.items():
        if not HEADER_NAME.fullmatch(name) or name.lower() in OURS:
            raise invalid("headers", f"“{name}” is no header that can be set.")
        if value is not None and not HEADER_VALUE.fullmatch(value):
            raise invalid("headers", f"The value of “{name}” is no text that a header takes.")
        for same in [other for other in found if other.lower() == name.lower()]:
            del found[same]
        if value is not None:
            found[name] = value
    if len(found) > MAX_HEADERS:
        raise invalid("headers", f"A server has at most {MAX_HEADERS} headers.")
    return found
