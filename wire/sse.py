"""Framing of Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import re

from engine.errors import invalid

KEEPALIVE = b": keepalive\n\n"
OPENING = b"retry: 1000\n: stream\n\n"

_EVENT_ID = re.compile(r"(?P<run>run_[0-9A-Za-z]{1,40}):(?P<seq>[0-9]{1,15})")


def opening(run_id: str, seq: int = 0) -> bytes:
    """First bytes of a stream: how soon to reconnect, something to defeat buffering proxies, and
    an id that names the run, so that a cut before the first event cannot start a second run."""
    return b"retry: 1000\n: stream of run %b\nid: %b:%d\n\n" % (
        run_id.encode(),
        run_id.encode(),
        seq,
    )


def frame(run_id: bytes, seq: int, data: bytes) -> bytes:
    """One event: its position, and its JSON in a single `data:` line (JSON has no raw newline)."""
    return b"id: %b:%d\ndata: %b\n\n" % (run_id, seq, data)


def parse_event_id(field: str, value: str) -> tuple[str, int]:
    """(run id, seq) of a `<runId>:<seq>` position. Raises ClawError `invalid_message`."""
    found = _EVENT_ID.fullmatch(value)
    if found is None:
        raise invalid(field, "A position looks like <runId>:<seq>.")
    return found["run"], int(found["seq"])
