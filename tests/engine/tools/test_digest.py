"""`engine.tools.digest`: the vectors of RFC 8785."""

import hashlib
import math
import struct

import pytest

from engine.tools.digest import canonical, digest


def test_it_works() -> None:
    text = '{"args":{"a":1},"id":"call_1","runId":"run_1","tool":"pay"}'
    expected = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert digest("run_1", "call_1", "pay", {"a": 1}) == expected


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_of_appendix_b(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value) == text


def test_members_are_in_the_order_of_utf_16() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    expected = ",".join(f"{canonical(name)}:1" for name in ordered)
    assert canonical(dict.fromkeys(names, 1)) == f"{{{expected}}}"


def test_texts_literals_and_lists() -> None:
    value = {"literals": [None, True, False], "string": '\u20ac$\u000f\nA\'B"\\\\"/'}
    assert canonical(value) == (
        '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_whole_numbers_beyond_2_53_are_doubles() -> None:
    assert canonical(2**53) == "9007199254740992"
    assert canonical(2**53 + 1) == "9007199254740992"
    assert canonical(-(10**21)) == "-1e+21"
    assert canonical(10**18 + 1) == canonical(float(10**18))
    assert math.isfinite(float(10**300))
