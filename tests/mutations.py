"""What comes in when somebody sends nonsense: valid samples with damage, as Hypothesis draws it."""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("CLAW_FUZZ_CASES", "2000"))
"""Of all fuzz tests together; `CLAW_FUZZ_CASES=100000` is what a release is tested with."""

AWKWARD = [b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n\r\n"]
AWKWARD += [b'"', b"\\", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"{", b"}", b"[", b"]", b","]
AWKWARD += [
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"0.5",
    b"NaN",
    b"9" * 30,
    b"[" * 3000,
    b'{"a":' * 3000,
]
AWKWARD += [
    b"data: ",
    b"data:\n\n",
    b"event: error\n",
    b'"type":',
    b"[DONE]",
    b":",
    b" ",
    b"A" * 500,
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["\0", "a\nb", "run_0123", "conv_x", "user", "queue", "{", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def fuzz(tests: int) -> settings:
    """One of so many tests that share the cases."""
    return settings(
        max_examples=CASES // tests,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A sample with a few pieces of it replaced, left out or put in."""
    data = bytearray(draw(st.sampled_from(samples)))
    pieces = st.sampled_from(AWKWARD) | st.binary(max_size=4) | st.sampled_from(samples)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 12))] = draw(pieces)
    return bytes(data)


@st.composite
def altered(draw: st.DrawFn, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """A sample object with some fields replaced, left out, or another sample's."""
    names = sorted({name for sample in samples for name in sample})
    found = dict(draw(st.sampled_from(samples)))
    for name in draw(st.lists(st.sampled_from(names), max_size=3)):
        found[name] = draw(json_values)
    for name in draw(st.lists(st.sampled_from(names), max_size=1)):
        found.pop(name, None)
    return found
