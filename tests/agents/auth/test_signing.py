"""`agents.auth.signing`: tokens that say who somebody is, and what passes for one and is none."""

import base64
import time

import pytest

from agents.auth import signing
from agents.auth.signing import ForeignToken
from engine.errors import ClawError
from tests.agents.signed import minted, part, resigned, unsigned

KEY = "k" * 43
OTHER = "o" * 43


def read(token: str, **options):
    return signing.verify(token, KEY, require=["exp"], **options)


def code(token: str, **options) -> str:
    with pytest.raises(ClawError) as raised:
        read(token, **options)
    return raised.value.code


def test_it_works():
    token = signing.sign({"sub": "x", "exp": int(time.time()) + 9}, KEY.encode())
    assert signing.is_signed(token)
    assert read(token)["sub"] == "x"


GOOD = minted(KEY, sub="x", aud="y")


FOREIGN = [
    minted(OTHER, sub="x"),
    unsigned(GOOD),
    resigned(GOOD, sub="admin"),
    resigned(GOOD, {"alg": "none"}),
    resigned(GOOD, {"alg": "RS256", "typ": "JWT"}),
    resigned(GOOD, {"alg": ["HS256"]}),
    resigned(GOOD, {"alg": "HS256", "b64": False, "crit": ["b64"]}),
    minted(KEY * 2, algorithm="HS512"),
    GOOD[:-2],
    GOOD + "A",
    f"{GOOD}.",
    GOOD.replace(".", "\0."),
    f"{part({})}.{part({})}.",
    *("..", "a.b.c", "\ud800.b.c", "\0.\0.\0", "é.é.é", "", "x"),
    "[" * 2000 + "..",
    part("[" * 2000) + f".{part({})}.x",
    "A" * 9000 + ".b.c",
    minted(KEY, padding="x" * 9000),
]


def test_what_we_did_not_sign_is_foreign():
    for token in FOREIGN:
        with pytest.raises(ForeignToken):
            read(token)


def test_a_deeply_nested_header_is_foreign_too():
    header = base64.urlsafe_b64encode(b'{"a":' * 1100).decode().rstrip("=")
    with pytest.raises(ForeignToken):
        read(f"{header}.e30.x")


def test_times_are_kept():
    now = int(time.time())
    assert code(minted(KEY, exp=now - 1)) == "token_expired"
    assert code(minted(KEY, iat=now + 3600)) == "invalid_token"
    assert code(minted(KEY, nbf=now + 3600)) == "invalid_token"
    assert code(minted(KEY, exp=None)) == "invalid_token"
    assert read(minted(KEY, exp=now - 3), leeway=5)
    assert read(minted(KEY, exp=now - 3), expired=True)


@pytest.mark.parametrize("exp", ["soon", [], {}, float("inf"), float("nan"), True])
def test_a_time_that_is_none_is_refused(exp):
    with pytest.raises((ClawError, ForeignToken)):
        read(minted(KEY, exp=exp))


def test_a_key_is_no_signed_token():
    assert not signing.is_signed("claw_live_abc_def")
