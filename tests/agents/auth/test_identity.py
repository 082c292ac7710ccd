"""`agents.auth.identity`: an organisation says who its own users are."""

import time

import pytest

from agents import access
from agents.auth import identity
from agents.models import IdentitySecret
from engine.errors import ClawError
from tests.agents.signed import minted, unsigned
from tests.database import everything_stored

SECRET = "claw_identity_" + "s" * 43


def code(token: str, secret: str | None = SECRET) -> str:
    with pytest.raises(ClawError) as raised:
        identity.user_of(token, secret)
    return raised.value.code


def test_it_works():
    until = int(time.time()) + 60
    assert identity.user_of(minted(SECRET, user_id="42", name="Ada"), SECRET) == ("42", until + 5)


@pytest.mark.parametrize("user_id", ["ada@example.com", "Ünal", "a b", 42, "x" * 128])
def test_an_id_is_text_or_a_number(user_id):
    claims = {"user_id": user_id, "sub": 7, "aud": "anything", "iss": "shop"}
    assert identity.user_of(minted(SECRET, **claims), SECRET)[0] == str(user_id)


@pytest.mark.parametrize(
    "user_id", ["", " ", " a", "a\0b", "a\nb", "x" * 129, True, None, 1.5, [], {}, "\ud800"]
)
def test_nothing_else_is_an_id(user_id):
    assert code(minted(SECRET, user_id=user_id)) == "invalid_token"


def test_what_is_not_signed_with_the_secret_is_refused():
    good = minted(SECRET, user_id="42")
    assert code(unsigned(good)) == code(minted(SECRET + "x", user_id="42")) == "invalid_token"
    assert code(good, None) == code("nonsense") == code(minted(SECRET)) == "invalid_token"
    assert code(minted(SECRET, user_id="42", exp=None)) == "invalid_token"
    assert code(minted(SECRET, user_id="42", iat=int(time.time()) + 3600)) == "invalid_token"
    assert code(minted(SECRET, user_id="42", exp=int(time.time()) - 60)) == "token_expired"


NOW = int(time.time())
LATER = NOW + 86_400  # minutes pass before a complete run comes here


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": LATER + 0.25},
        {"exp": LATER + 3e2, "iat": NOW + 3},
        {"exp": LATER, "iat": NOW - 0.5, "nbf": NOW - 1.5},
        {"exp": LATER, "iat": None, "nbf": None},
        {"exp": LATER, "aud": ["x", "y"], "iss": "me", "sub": 5, "jti": 7, "roles": [{"a": 1}]},
    ],
)
def test_a_token_is_read_as_libraries_make_it(claims):
    user, until = identity.user_of(minted(SECRET, user_id="ada", **claims), SECRET)
    assert (user, until) == ("ada", int(claims["exp"]) + 5)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": None}, "no “exp”"),
        ({"user_id": None}, "no “user_id”"),
        ({"exp": str(LATER)}, "no number of seconds"),
        ({"exp": True}, "no number of seconds"),
        ({"exp": [LATER]}, "no number of seconds"),
        ({"exp": {}}, "no number of seconds"),
        ({"exp": -1}, "no number of seconds"),
        ({"exp": LATER * 1000}, "no number of seconds"),  # JavaScript's Date.now()
        ({"exp": float("inf")}, "no number of seconds"),
        ({"exp": float("nan")}, "no number of seconds"),
        ({"exp": 10**400}, "no number of seconds"),
        ({"iat": LATER}, "not valid yet"),
        ({"nbf": LATER}, "not valid yet"),
        ({"nbf": "soon"}, "“nbf” is no number of seconds"),
        ({"iat": [NOW]}, "“iat” is no number of seconds"),
        ({"user_id": "a\0b"}, "user_id is no text"),
    ],
)
def test_what_is_wrong_with_a_token_is_said(claims, said):
    with pytest.raises(ClawError, match=said) as raised:
        identity.user_of(minted(SECRET, **{"user_id": "ada"} | claims), SECRET)
    assert raised.value.code == "invalid_token"


def test_p30_a_secret_is_stored_encrypted_and_a_new_one_replaces_it(agent):
    first = identity.new_secret(agent)
    second = identity.new_secret(agent)

    assert access.identity_secret(agent) == second != first
    assert IdentitySecret.objects.count() == 1
    assert len(second.removeprefix("claw_identity_")) == 43
    assert second not in everything_stored()
    identity.drop_secret(agent)
    assert access.identity_secret(agent) is None
