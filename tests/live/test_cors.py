"""Cross-origin requests: any preflight, answers only for origins that the key names."""

import json

import httpx
import pytest

from tests.live.server import Server

ORIGIN = "https://shop.example"


@pytest.fixture(scope="module")
def browser_key(server: Server) -> str:
    """A key that one origin may use."""
    made = json.loads(server.manage("create_api_key", "--agent", "acme-agent", "--json"))
    change = (
        "from agents.models import ApiKey;"
        f"ApiKey.objects.filter(id='{made['keyId']}').update(allowed_origins=['{ORIGIN}'])"
    )
    server.manage("shell", "--command", change)
    return str(made["apiKey"])


def ask(server: Server, key: str, origin: str) -> httpx.Response:
    headers = {"Origin": origin, "Authorization": f"Bearer {key}"}
    return httpx.get(f"{server.url}/api/conversations", headers=headers, trust_env=False)


def test_a_preflight_is_answered_for_any_origin_without_credentials(server: Server) -> None:
    answer = httpx.options(
        f"{server.url}/api/chat",
        headers={"Origin": "https://any.example", "Access-Control-Request-Method": "POST"},
        trust_env=False,
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://any.example"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_an_allowed_origin_may_read_the_answer(server: Server, browser_key: str) -> None:
    answer = ask(server, browser_key, ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", f"{ORIGIN}.evil.example", "null"]
)
def test_another_origin_is_refused(server: Server, browser_key: str, origin: str) -> None:
    answer = ask(server, browser_key, origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_key_without_origins_works_anywhere_but_gets_no_headers(server: Server) -> None:
    answer = ask(server, server.keys.acme, ORIGIN)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
