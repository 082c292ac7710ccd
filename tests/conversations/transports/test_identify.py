"""`conversations.transports.identify`: whose word about a visitor is believed."""

from ipaddress import ip_network
from typing import Any

import pytest

from conversations.transports.identify import as_visited, client_address, forwarding

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
