"""The digest of a tool call, which an approval names: of canonical JSON (RFC 8785)."""

import hashlib
import json
from typing import Any

from engine.request import ToolSpec

EXACT = 2**53
"""Whole numbers beyond this are hashed as the doubles that JSON parsers make of them."""


def digest(run_id: str, id: str, tool: str, args: dict[str, Any]) -> str:
    """`sha256:` and the hex digest of the canonical JSON of `{runId, id, tool, args}`."""
    value = {"runId": run_id, "id": id, "tool": tool, "args": args}
    return f"sha256:{hashlib.sha256(canonical(value).encode()).hexdigest()}"


def pin(spec: ToolSpec) -> str:
    """The hex digest of all that a model and an approver are told of a tool."""
    told = {"description": spec.description, "inputSchema": spec.input_schema}
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON as RFC 8785 writes it: members in the order of their UTF-16 names, numbers as
    ECMAScript does, no space."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and abs(value) <= EXACT:
        return str(value)
    return _double(float(value))


def _double(value: float) -> str:
    """ECMAScript's Number::toString: the shortest digits, with an exponent from 1e21 on and below
    1e-6."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return f"{sign}{digits}{'0' * (point - count)}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"
