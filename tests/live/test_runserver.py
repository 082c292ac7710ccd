"""Daphne, the development server: streams, resumes and closes well."""

from collections.abc import Callable

import httpx
import pytest

from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.raw import RawSocket, handshake, masked
from tests.live.server import Server
from tests.live.visiting import open_to_visitors, visit

pytestmark = pytest.mark.embedded  # it looks into the one process, or its files


@pytest.fixture
def daphne(make_server: Callable[..., Server]) -> Server:
    return make_server("runserver", CLAW_SLOW_CONSUMER_TIMEOUT="2")


async def test_it_works(daphne: Server) -> None:
    async with await WebSocket.open(daphne.ws_url, daphne.keys.acme) as socket:
        events = await socket.ask("hello [[upstream tokens=20 delay=1]]")
    assert text_of(events) == "".join(f"w{i} " for i in range(20))
    async with Rest(daphne.url, daphne.keys.acme) as rest:
        assert (await rest.post("/api/chat", {"message": "hi"})).status_code == 200
        assert (await rest.get("/api/conversations")).headers["content-type"] == "application/json"


async def test_it_resumes_over_sse(daphne: Server) -> None:
    url, body = f"{daphne.url}/api/chat/stream", {"message": "hi [[upstream tokens=60 delay=5]]"}
    async with await Sse.open(url, daphne.keys.acme, body=body) as first:
        await first.read(tokens=20)
        first.cut()
    position = {"Last-Event-ID": first.last_id}
    async with await Sse.open(url, daphne.keys.acme, body=body, headers=position) as second:
        await second.read()
    assert text_of(first.events + second.events) == "".join(f"w{i} " for i in range(60))


async def test_a_wrong_key_closes_with_4001_and_its_reason(daphne: Server) -> None:
    async with await WebSocket.open(daphne.ws_url) as socket:
        await socket.send(type="auth", token="nope")
        assert await socket.closed() == 4001
    assert socket.connection.close_reason == "Invalid token"


async def test_at_sigterm_sockets_are_told_and_answers_finish(daphne: Server) -> None:
    async with await WebSocket.open(daphne.ws_url, daphne.keys.acme) as socket:
        await socket.send(type="message", content="hi [[upstream tokens=100 delay=10]]")
        await socket.until("token")
        daphne.terminate()
        await socket.until("reconnect")
        assert await socket.closed() == 1012
    daphne.wait()
    started = next(event for event in socket.events if event["type"] == "run_started")
    seen = max(event["seq"] for event in socket.events if "seq" in event)
    daphne.start()
    async with await WebSocket.open(daphne.ws_url, daphne.keys.acme) as again:
        await again.send(type="resume", runId=started["runId"], lastSeq=seen)
        await again.until("done")
    assert text_of(socket.events + again.events) == "".join(f"w{i} " for i in range(100))


async def test_a_body_that_is_too_large_is_refused(daphne: Server) -> None:
    async with Rest(daphne.url, daphne.keys.acme) as rest:
        answer = await rest.request("POST", "/api/chat", content=b"x" * (2 * 1024 * 1024))
    assert answer.status_code == 413


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n", "Host: a b\r\n"])
async def test_a_request_names_one_host(daphne: Server, hosts: str) -> None:
    async with await RawSocket.open(daphne) as raw:
        await raw.send(f"GET /healthz HTTP/1.1\r\n{hosts}\r\n".encode())
        assert (await raw.read_all()).startswith(b"HTTP/1.1 400 ")


async def test_a_text_that_is_no_utf8_ends_the_socket(daphne: Server) -> None:
    async with await RawSocket.open(daphne) as raw:
        await raw.send(handshake(daphne))
        await raw.until(b"auth_ok")
        await raw.send(masked(b"\xff\xfe"))
        assert (1007).to_bytes(2, "big") in await raw.read_all()
    assert "Traceback" not in daphne.log


async def test_it_serves_visitors_and_their_page(daphne: Server) -> None:
    open_to_visitors(daphne, "acme-agent", publicPage=True)
    home = f"http://acme-agent.localhost:{daphne.port}"
    host = {"Host": home.removeprefix("http://")}
    async with httpx.AsyncClient(base_url=daphne.url, trust_env=False) as browser:
        page = await browser.get("/", headers=host)
        module = await browser.get("/static/claw/client.js", headers=host)
    assert "<claw-chat" in page.text and "script-src 'self'" in str(page.headers)
    assert module.headers["access-control-allow-origin"] == "*"
    async with await visit(daphne, "acme-agent", home, host=host["Host"]) as visitor:
        asked = {"Origin": home, **host}
        answer = await visitor.rest.post("/api/chat", {"message": "hi"}, headers=asked)
        assert answer.status_code == 200
        url = f"{daphne.ws_url}?token={visitor.token}"
        async with await WebSocket.open(url, additional_headers={"Origin": home}) as socket:
            assert await socket.closed() == 4003  # not at the page's own host
