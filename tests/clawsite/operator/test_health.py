"""`clawsite.operator.health`: the doors of operators are shut alike for everybody else."""

import asyncio
import json
from typing import Any

import pytest

from clawsite.asgi import application
from conversations.process import wiring
from tests.asgi import STATE

OUTSIDE = "203.0.113.9"
PATHS = ["/metrics", "/readyz"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
PREFLIGHT = {"origin": "https://evil.example", "access-control-request-method": "GET"}


async def ask(
    path: str, method: str = "GET", *, client: str = "127.0.0.1", query: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what the application answers."""
    sent: list[dict[str, Any]] = []
    fields = {"host": "localhost"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "client": (client, 1234),
        "server": ("127.0.0.1", 8000),
        "state": STATE.copy(),
        "headers": [(name.encode(), text.encode()) for name, text in fields.items()],
    }
    messages = [{"type": "http.request"}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        return await asyncio.Event().wait()  # a client that stays

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    names = {name.decode().lower(): text.decode() for name, text in sent[0]["headers"]}
    return sent[0]["status"], names, b"".join(message.get("body", b"") for message in sent[1:])


def refused(answer: tuple[int, dict[str, str], bytes]) -> tuple[Any, ...]:
    """All of a refusal but its request id."""
    status, headers, body = answer
    error = json.loads(body)["error"]
    del error["requestId"]
    del headers["x-request-id"]
    return status, headers, error


@pytest.fixture(autouse=True)
async def services(tmp_path, settings, monkeypatch, transactional_db):
    settings.CLAW_DATA_DIR = tmp_path
    settings.ALLOWED_HOSTS = ["localhost", ".agents.example"]
    settings.CLAW_AGENT_DOMAIN = "agents.example"
    settings.CLAW_METRICS_TOKEN = ""
    services = await wiring.start()
    monkeypatch.setitem(STATE, "services", services)
    yield services
    await services.stop(0)


@pytest.mark.parametrize("path", PATHS)
async def test_from_outside_there_is_nothing_whatever_is_asked(path: str) -> None:
    nothing = refused(await ask("/metrics", x_forwarded_for=OUTSIDE))
    assert (nothing[0], nothing[2]["code"]) == (404, "not_found")
    for method in METHODS:
        assert refused(await ask(path, method, x_forwarded_for=OUTSIDE)) == nothing, method
    for host in ("evil.example", "a b<>", "bot.agents.example", "[::1]", ""):
        assert refused(await ask(path, host=host, x_forwarded_for=OUTSIDE)) == nothing, host
    for spelling in (f"{path}/", f"/{path}", f"//{path}//"):
        assert refused(await ask(spelling, x_forwarded_for=OUTSIDE)) == nothing, spelling
    for name in ("forwarded", "via", "x_real_ip", "x_forwarded_proto"):
        assert refused(await ask(path, **{name: "x"})) == nothing, name


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_of_another_origin_is_refused_too(path: str) -> None:
    asking = {name.replace("-", "_"): text for name, text in PREFLIGHT.items()}
    for method in ("OPTIONS", "GET"):
        status, headers, _ = await ask(path, method, x_forwarded_for=OUTSIDE, **asking)
        assert status == 404
        assert not any(name.startswith("access-control") for name in headers)


async def test_metrics_are_for_loopback_without_a_token(settings) -> None:
    assert (await ask("/metrics"))[0] == 200
    assert (await ask("/metrics", client="::ffff:127.0.0.1"))[0] == 200
    assert (await ask("/metrics", client=OUTSIDE))[0] == 404
    settings.CLAW_METRICS_TOKEN = "scrape"
    assert (await ask("/metrics"))[0] == 404
    assert (await ask("/metrics", client=OUTSIDE, authorization="Bearer scrape"))[0] == 200


async def test_a_door_that_is_open_knows_two_methods() -> None:
    status, headers, _ = await ask("/metrics", "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert (await ask("/healthz", "POST"))[0] == 405
    assert (await ask("/healthz", "HEAD", x_forwarded_for=OUTSIDE))[0] == 200


async def test_more_query_fields_than_allowed_are_400_everywhere() -> None:
    many = b"&".join([b"a=1"] * 1001)
    for path in ("/api/conversations", "/admin/login/", "/healthz", "/static/x", "/nowhere"):
        status, headers, body = await ask(path, query=many)
        error = json.loads(body)["error"]
        assert (status, error["code"]) == (400, "invalid_message"), path
        assert headers["x-request-id"] == error["requestId"]


async def test_answers_of_the_api_are_not_guessed_at() -> None:
    for path in ("/api/openapi.json", "/api/nothing", "/healthz"):
        assert (await ask(path))[1]["x-content-type-options"] == "nosniff"


async def test_the_pages_of_the_console_have_a_policy() -> None:
    for path in ("/admin/login/", "/admin/", "/nowhere"):
        policy = (await ask(path))[1]["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
