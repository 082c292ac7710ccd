"""Reads how long a model server asks us to wait, in each of the forms that servers use; no clock.

RFC 9110, section 10.2.3, has whole seconds and dates. Servers also send fractions, milliseconds
(`retry-after-ms`), durations (`6m0s`, `PT6M` of ISO 8601, `00:06:00`) and the time at which a
limit is full again. All waits are returned in milliseconds, and none is longer than an hour:
servers have been seen to say 4294967.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

MAX_WAIT = 3600 * 1000  # milliseconds

_NUMBER = re.compile(r"\+?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,2})?", re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ].+(?:[Zz]|[+-]\d\d:?\d\d)$")
_ISO_PART = r"\d{1,20}(?:[.,]\d{1,20})?"
_ISO_DURATION = re.compile(
    rf"P(?:{_ISO_PART}W)?(?:{_ISO_PART}D)?"
    rf"(?:T(?=\d)(?:{_ISO_PART}H)?(?:{_ISO_PART}M)?(?:{_ISO_PART}S)?)?(?<!P)",
    re.IGNORECASE,
)
"""Without years and months, whose length depends on the date."""
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d(?:\.\d{1,20})?)")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = (
    r"\d{1,20}(?:\.\d{1,20})?\s?"
    r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|hrs?|hours?|h|d|days?)"
)
_DURATION = re.compile(rf"{_PART}(?:[\s,]*{_PART}){{0,5}}", re.IGNORECASE)
_SPOKEN = re.compile(
    r"(?:again|retry|retrying|wait|reset)\s+(?:in|after|for)?\s*"
    rf"({_DURATION.pattern}|{_ISO_DURATION.pattern})\b",
    re.IGNORECASE,
)
_RESETS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
)
"""Headers with the rest of a limit and the time of its reset: a wait only if nothing is left."""

EPOCH_SECONDS, EPOCH_MILLISECONDS = 1e9, 1e12
"""Larger numbers are no waits but times."""


def header_wait(headers: Mapping[str, str], now: float) -> int | None:
    """The wait that these headers (by lower-case names) ask for, None if they ask for none.

    `now`, in seconds since 1970, counts only if the server does not send its own `date`."""
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (wait := _number(headers.get(name, ""), 1)) is not None:
            return wait
    now = _timestamp(headers.get("date", "")) or now
    if (wait := parse_wait(headers.get("retry-after", ""), now)) is not None:
        return wait
    waits = [
        wait
        for left, reset in _RESETS
        if _number(headers.get(left, ""), 1) == 0
        and (wait := parse_wait(headers.get(reset, ""), now)) is not None
    ]
    return max(waits, default=None)


def parse_wait(value: str, now: float) -> int | None:
    """Seconds, a duration, a date, or seconds or milliseconds since 1970; None for nonsense."""
    value = value.strip(" \t\"'")
    first = re.split("[,;]", value)[0].strip()  # proxies join headers, and add parameters
    if _NUMBER.fullmatch(first):
        number = float(first)
        if number >= EPOCH_MILLISECONDS:
            return _bounded(number - now * 1000)
        return _bounded((number - now if number >= EPOCH_SECONDS else number) * 1000)
    for text in (value, first):
        if _DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text):
            return _duration(text)
        if clock := _CLOCK.fullmatch(text):
            return _duration("{}h{}m{}s".format(*clock.groups()))
    at = _timestamp(value)
    return None if at is None else _bounded((at - now) * 1000)


def spoken_wait(text: str) -> int | None:
    """The wait within a sentence: “Please try again in 7.66s.”"""
    found = _SPOKEN.search(text)
    return _duration(found[1]) if found else None


def _number(value: str, milliseconds: int) -> int | None:
    value = value.strip()
    return _bounded(float(value) * milliseconds) if _NUMBER.fullmatch(value) else None


def _duration(text: str) -> int:
    """Milliseconds of a text that matches `_DURATION` or `_ISO_DURATION`."""
    total, text = 0.0, re.sub(r"(?<=\d),(?=\d)", ".", text.lower())
    for number, unit in re.findall(r"([\d.]+)\s?(ms|milli|[a-z])", text):
        total += float(number) * _UNITS["ms" if unit == "milli" else unit]
    return _bounded(total)


def _timestamp(date: str) -> float | None:
    """The time of an HTTP date, or of one of ISO 8601 with its zone. A number alone is none,
    whatever a parser makes of it."""
    if ":" not in date:
        return None
    read = datetime.fromisoformat if _ISO_DATE.match(date) else parsedate_to_datetime
    try:
        return read(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _bounded(milliseconds: float) -> int:
    return max(0, min(math.ceil(milliseconds), MAX_WAIT))
