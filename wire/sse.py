"""Framing of Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import re

from engine.errors import invalid

KEEPALIVE = b": keepalive\n\n"
OPENING = b"retry: 1000\n: stream\n\n"
FRAME = b"id: %b:%d\ndata: %b\n\n"
"""One event: the run's id, the seq, and its JSON in one `data:` line (JSON has no raw newline)."""

_EVENT_ID = re.compile(r"(?P<run>run_[0-9A-Za-z]{1,40}):(?P<seq>[0-9]{1,15})")


def opening(run_id: str, seq: int = 0) -> bytes:
    """The first bytes of a stream. They say how soon to reconnect, they pass buffering proxies, and
    their id names the run: a client that is cut before the first event starts no second run."""
    return b"retry: 1000\n: stream of run %b\nid: %b:%d\n\n" % (
        run_id.encode(),
        run_id.encode(),
        seq,
    )


def feed_frame(cursor: str, data: bytes) -> bytes:
    """One message of the command center; without a cursor the client keeps the one that it has."""
    position = b"id: %b\n" % cursor.encode() if cursor else b""
    return b"%bdata: %b\n\n" % (position, data)


def position_frame(cursor: str) -> bytes:
    """A keepalive that moves the client's position past what it is not shown."""
    return b"id: %b\n%b" % (cursor.encode(), KEEPALIVE)


def parse_event_id(field: str, value: str) -> tuple[str, int]:
    """(run id, seq) of a `<runId>:<seq>` position. Raises ClawError `invalid_message`."""
    found = _EVENT_ID.fullmatch(value)
    if found is None:
        raise invalid(field, "A position looks like <runId>:<seq>.")
    return found["run"], int(found["seq"])
