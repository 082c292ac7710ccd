"""The encoding that a request asks for its event stream."""

import re

from django.http import HttpRequest

from agents.caller import Caller
from conversations.transports.http import visibility_of
from core.http import flag
from engine.errors import invalid
from wire.encoder import ENCODERS, Encoding
from wire.encoders.batches import BatchedEncoding
from wire.native import Options
from wire.selection import Selection

NO_OPTIONS = Options()
FORMATS = ("simple", "content")
SIZES, PACES = range(2, 1001), range(10, 1001)
"""How many tokens may come as one event, and how many milliseconds may lie between two writes."""

_BATCH = re.compile(r"(?P<number>[0-9]{1,4})(?P<ms>ms)?", re.ASCII)


def encoding_of(request: HttpRequest, caller: Caller, options: Options = NO_OPTIONS) -> Encoding:
    """The encoding of this response, as the body or the query string asks.

    Raises `invalid_message`."""
    asked = options | Options(flag(request, "merge"), flag(request, "deltas"))
    size, pace = _batch(request)
    merge = asked.merge or size > 1 or pace > 0
    selection = Selection(visibility_of(caller, deltas=asked.deltas), merge=merge)
    protocol = ENCODERS[_format(request)]
    if size > 1:
        return BatchedEncoding(protocol, selection, size=size)
    return Encoding(protocol, selection, pace)


def _format(request: HttpRequest) -> str:
    """The name of the protocol that `?format=` asks for."""
    name = request.GET.get("format")
    if name is not None and name not in FORMATS:
        raise invalid("format", f"This is one of: {', '.join(FORMATS)}.")
    return name or "sse"


def _batch(request: HttpRequest) -> tuple[int, float]:
    """`?batch=`: how many tokens come as one event, and the seconds between two writes."""
    given = request.GET.get("batch")
    if given is None:
        return 1, 0.0
    found = _BATCH.fullmatch(given)
    number = int(found["number"]) if found else 0
    if found and found["ms"] and number in PACES:
        return 1, number / 1000
    if found and not found["ms"] and number in SIZES:
        return number, 0.0
    raise invalid("batch", "This is a number of tokens, 2 to 1000, or a time, 10ms to 1000ms.")
