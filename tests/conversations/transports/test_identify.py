"""`conversations.transports.identify`: whose word about a visitor is believed."""

from ipaddress import ip_network
from typing import Any

import pytest

from conversations.transports.identify import (
    as_visited,
    bearer_token,
    client_address,
    forwarding,
)

PROXY, STRANGER = "10.0.0.2", "203.0.113.9"


@pytest.fixture(autouse=True)
def trusted(settings) -> None:
    settings.CLAW_TRUSTED_PROXIES = [ip_network("10.0.0.0/24")]


def scope(peer: str, kind: str = "http", **headers: str) -> dict[str, Any]:
    pairs = [(f"x-forwarded-{name}".encode(), value.encode()) for name, value in headers.items()]
    scheme = "ws" if kind == "websocket" else "http"
    return {"type": kind, "scheme": scheme, "client": (peer, 1234), "headers": pairs}


def forwarded(peer: str, **headers: str) -> dict[str, Any]:
    return scope(peer, **{"for": "198.51.100.7"}, **headers)


def test_it_works() -> None:
    visit = forwarded(PROXY, proto="https")
    assert client_address(visit) == "198.51.100.7"
    assert as_visited(visit)["scheme"] == "https"
    assert as_visited(scope(PROXY, "websocket", proto="https"))["scheme"] == "wss"
    assert forwarding(visit) == "believed"


def test_a_stranger_is_not_believed() -> None:
    visit = forwarded(STRANGER, proto="https")
    assert client_address(visit) == STRANGER
    assert as_visited(visit)["scheme"] == "http"
    assert forwarding(visit) == "ignored"


def test_what_a_visitor_put_before_the_proxy_s_word_does_not_count() -> None:
    assert client_address(scope(PROXY, **{"for": "127.0.0.1, 203.0.113.9"})) == STRANGER


def test_without_tls_and_without_headers_nothing_changes() -> None:
    for visit in (scope(PROXY), scope(PROXY, proto="http"), scope(STRANGER)):
        assert as_visited(visit) is visit
        assert forwarding(visit) == "none"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("203.0.113.9:4711", STRANGER),
        ("::ffff:203.0.113.9", STRANGER),
        ("[2001:DB8::0:1]:4711", "2001:db8::1"),
        ("203.0.113.9, [::ffff:10.0.0.7]:80", STRANGER),
        ("unknown", "unknown"),
    ],
)
def test_an_address_that_was_forwarded_has_one_spelling(said: str, meant: str) -> None:
    assert client_address(scope(PROXY, **{"for": said})) == meant
    assert client_address(scope("::ffff:10.0.0.2", **{"for": said})) == meant


def test_an_address_that_only_looks_like_a_proxy_s_is_not_believed() -> None:
    """6to4 and NAT64 addresses with the proxy's inside are anybody's to choose."""
    for peer in ("2002:a00:2::1", "64:ff9b::a00:2"):
        assert client_address(forwarded(peer)) == peer


def test_several_lines_of_forwarded_for_are_one():
    """RFC 9110, 5.3: some proxies add a line of their own."""
    visit = scope(PROXY, **{"for": STRANGER})
    visit["headers"] = [
        (b"X-Forwarded-For", b"203.0.113.9, " + STRANGER.encode()),
        (b"x-forwarded-for", PROXY.encode()),
    ]
    assert client_address(visit) == STRANGER


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer a.b", "a.b"),
        ("bearer  a.b ", "a.b"),
        ("Bearer\ta.b", "a.b"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearera.b", None),
        ("Basic a.b", None),
        ("", None),
    ],
)
def test_a_bearer_token_follows_any_space(header: str, token: str | None) -> None:
    assert bearer_token({"authorization": header}) == token
