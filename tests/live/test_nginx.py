"""deploy/nginx, in a real nginx before a real server."""

import asyncio
import contextlib
import json
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets import ConnectionClosed

from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.nginx import Nginx, changed, published
from tests.live.raw import RawSocket, new_tag, request, until
from tests.live.server import Server
from tests.live.watching import Watch, check_run
from tests.upstream import expected_text

pytestmark = [pytest.mark.nginx, pytest.mark.embedded]  # it has an nginx of its own

SETTINGS = {
    "CLAW_TRUSTED_PROXIES": "127.0.0.1",
    "CLAW_REQUEST_TIMEOUT": "2",
    "CLAW_HTTPS": "true",
    "CLAW_AGENT_DOMAIN": "agents.example.com",
}
COUNT, DELAY = 30, 20  # tokens, and milliseconds between two of them
SLOW = f"[[upstream tokens={COUNT} delay={DELAY}]]"

PROXY = changed(published("clawsite-proxy.conf"), {" 20s;": " 1s;"})
PLAIN, TLS = published("compose.conf"), published("clawsite.conf")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for the names in clawsite.conf."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        "-subj /CN=example.com -addext subjectAltName=DNS:example.com,DNS:*.agents.example.com "
        "-keyout privkey.pem -out fullchain.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def nginx(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """The one of compose.yaml."""
    with Nginx(tmp_path_factory.mktemp("nginx"), [server.port], PLAIN, PROXY) as process:
        yield process


@pytest.fixture(scope="module")
def tls(
    server: Server, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    """The one for a server of its own, with the placeholders filled in."""
    site = changed(TLS, {"/etc/ssl/clawsite": str(certificate)})
    with Nginx(tmp_path_factory.mktemp("tls"), [server.port], site, PROXY) as process:
        yield process


@pytest.fixture
def site(nginx: Nginx, server: Server) -> Server:
    """The shared server through nginx."""
    return nginx.before(server)


@pytest.fixture
def trust(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate / "fullchain.pem")


@pytest.fixture
def deployed(make_server: Callable[..., Server], tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """A server of this test's own, and its face through nginx."""
    with ExitStack() as stack:
        server = make_server()
        nginx = stack.enter_context(Nginx(tmp_path / "nginx", [server.port], PLAIN, PROXY))
        yield server, nginx.before(server)


async def test_it_works(site: Server) -> None:
    async with Rest(site.url, site.keys.acme) as rest:
        answer = await rest.post("/api/chat", {"message": "hello [[upstream tokens=5]]"})
    assert answer.json()["content"] == expected_text("tokens=5")


def spread(arrivals: list[float]) -> float:
    """The time between the first and the last, as a part of what the model took."""
    return (arrivals[-1] - arrivals[0]) / ((COUNT - 1) * DELAY / 1000)


async def test_an_event_stream_arrives_token_by_token(site: Server) -> None:
    arrivals = []
    url = f"{site.url}/api/chat/stream"
    async with await Sse.open(url, site.keys.acme, body={"message": SLOW}) as stream:
        async for event in stream:
            if event["type"] == "token":
                arrivals.append(time.monotonic())
    assert text_of(stream.events) == expected_text(f"tokens={COUNT}")
    assert spread(arrivals) > 0.7


async def test_a_websocket_is_passed_on_token_by_token(site: Server) -> None:
    arrivals = []
    async with await WebSocket.open(site.ws_url, site.keys.acme) as socket:
        await socket.send(type="message", content=SLOW)
        while (event := await socket.next())["type"] != "done":
            if event["type"] == "token":
                arrivals.append(time.monotonic())
    assert text_of(socket.events) == expected_text(f"tokens={COUNT}")
    assert spread(arrivals) > 0.7


async def test_why_a_socket_is_closed_is_passed_on(site: Server) -> None:
    """P16: also where the server closes while more is on its way."""
    async with await WebSocket.open(site.ws_url, site.keys.acme) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.connection.send("x" * (1024 * 1024 + 1))
        assert await socket.closed() == 1009


async def test_who_was_cut_resumes_and_gets_each_token_once(site: Server) -> None:
    """P2."""
    by_socket, by_stream = Watch(site), Watch(site)
    await asyncio.gather(
        by_socket.ws({"content": SLOW}, tokens=5), by_stream.sse({"message": SLOW}, tokens=5)
    )
    await asyncio.gather(by_stream.sse({"message": SLOW}), by_socket.ws())
    for watch in (by_socket, by_stream):
        check_run(watch.events, expected_text(f"tokens={COUNT}"))


async def test_a_deploy_is_announced_and_meanwhile_nginx_says_to_come_back(
    deployed: tuple[Server, Server],
) -> None:
    """P8: 1012 through nginx; while nobody serves, the answer is an error like any other."""
    server, site = deployed
    watch = Watch(site)
    async with await WebSocket.open(site.ws_url, site.keys.acme) as socket:
        asking = asyncio.create_task(watch.sse({"message": SLOW}))
        await watch.started.wait()
        server.terminate()
        assert await socket.closed() == 1012
    await asking
    assert await asyncio.to_thread(server.wait) == 0

    async with httpx.AsyncClient(trust_env=False) as client:
        away = await client.post(f"{site.url}/api/chat", json={"message": "Hi"})
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    check_refusal(away, "unavailable")

    await asyncio.to_thread(server.start)
    await watch.sse({"message": SLOW})
    check_run(watch.events, expected_text(f"tokens={COUNT}"))


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_refused_like_by_the_server_itself(
    site: Server, chunked: bool
) -> None:
    body = b"x" * (1024 * 1024 + 1)
    if chunked:
        whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        sent = request(site, "POST", "/api/chat", Transfer_Encoding="chunked").replace(
            b"Content-Length: 0\r\n", b""
        )
    else:
        whole, sent = b"", request(site, "POST", "/api/chat", Content_Length=str(len(body)))
    async with await RawSocket.open(site) as client:
        await client.send(sent)
        sending = asyncio.create_task(client.send(whole))
        answer = await client.until(b"}}")
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    head, _, error = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 "), head
    assert json.loads(error)["error"]["code"] == "message_too_large"


async def test_no_query_is_written_down(nginx: Nginx, site: Server) -> None:
    """P30: it may hold a ticket, or what somebody says."""
    tag = new_tag()
    async with Rest(site.url, site.keys.acme) as rest:
        await rest.get(f"/api/conversations/{tag}", ticket="claw_ticket_x")
    await until(lambda: tag in nginx.requests)
    assert "claw_ticket_x" not in nginx.requests


RUBBISH = {
    "a NUL in the address": ("GET /api/runs/%00 HTTP/1.1", "", 400, "invalid_message"),
    "no HTTP": ("\x16\x03\x01", "", 400, "invalid_message"),
    "no header": ("GET /api/chat HTTP/1.1", "Host: a\r\nHost: b", 400, "invalid_message"),
    "no coding": ("POST / HTTP/1.1", "Transfer-Encoding: x", 400, "invalid_message"),
    "a method": ("TRACE /api/chat HTTP/1.1", "", 405, "method_not_allowed"),
    "an address": (f"GET /api/{'x' * 65536} HTTP/1.1", "", 414, "message_too_large"),
    "a header": ("GET /api/chat HTTP/1.1", f"X: {'x' * 65536}", 431, "message_too_large"),
    "nothing of nginx": ("GET /.refused/more HTTP/1.1", "", 404, "not_found"),
}


@pytest.mark.parametrize("what", RUBBISH)
async def test_rubbish_is_refused_like_by_the_server_itself(site: Server, what: str) -> None:
    """P37: whatever nginx keeps from the server has the same envelope."""
    line, header, status, code = RUBBISH[what]
    async with await RawSocket.open(site) as client:
        host = "" if "Host:" in header else "Host: example.com\r\n"
        fields = f"{host}Connection: close\r\n{header}".strip()
        await client.send(f"{line}\r\n{fields}\r\n\r\n".encode())
        head, _, body = (await client.read_all()).partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    headers = dict(field.split(": ", 1) for field in fields)
    assert first.split()[1] == str(status)
    check_refusal(httpx.Response(status, headers=headers, content=body), code)


def test_http_on_the_port_of_https_is_refused_like_that_too(tls: Nginx) -> None:
    check_refusal(
        httpx.get(
            f"http://127.0.0.1:{tls.tls_port}/", headers={"Host": "example.com"}, trust_env=False
        ),
        "invalid_message",
    )


def check_refusal(answer: httpx.Response, code: str) -> None:
    """The answer has the envelope of the API's errors."""
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["requestId"] == answer.headers["x-request-id"]


async def test_headers_that_dribble_are_cut(site: Server) -> None:
    """P16, before the server is even reached."""
    async with await RawSocket.open(site) as client:
        seconds = await client.dribble(request(site, "GET", "/api/conversations"), 0.1)
    assert seconds < 10


async def test_a_body_that_dribbles_is_cut_by_the_servers_own_clock(site: Server) -> None:
    """P16: each of its bytes comes in nginx' time, but not all of them in the server's."""
    async with await RawSocket.open(site) as client:
        await client.send(request(site, "POST", "/api/chat", Content_Length="1000"))
        answering = asyncio.create_task(client.until(b"\r\n\r\n"))
        dribbling = asyncio.create_task(client.dribble(b"x" * 1000, 0.1))
        answer = await answering
        dribbling.cancel()
        await asyncio.gather(dribbling, return_exceptions=True)
    assert answer.startswith(b"HTTP/1.1 400 "), answer


async def test_an_agents_own_host_leads_to_it(
    tls: Nginx, server: Server, trust: ssl.SSLContext
) -> None:
    keys = {"acme-agent": server.keys.acme, "globex-agent": server.keys.globex}
    for name, key in keys.items():
        url = f"wss://{name}.agents.example.com:{tls.tls_port}/api/ws"
        here = {"host": "127.0.0.1", "port": tls.tls_port, "proxy": None}
        async with await WebSocket.open(url, key, ssl=trust, **here) as socket:
            assert socket.events[0]["agentName"] == name
            assert text_of(await socket.ask("hello")) == expected_text("")
    with pytest.raises(ConnectionClosed) as refused:
        url = f"wss://globex-agent.agents.example.com:{tls.tls_port}/api/ws"
        await WebSocket.open(url, server.keys.acme, ssl=trust, **here)
    assert refused.value.rcvd.code == 4004


def test_event_streams_go_over_http_2(tls: Nginx, server: Server, certificate: Path) -> None:
    options = {
        "cacert": str(certificate / "fullchain.pem"),
        "resolve": f"example.com:{tls.tls_port}:127.0.0.1",
        "header": f"Authorization: Bearer {server.keys.acme}",
        "json": '{"message": "hello"}',
        "write-out": "version %{http_version}",
        "max-time": "20",
    }
    command = ["curl", "--silent", "--no-buffer", "--http2"]
    for name, value in options.items():
        command += [f"--{name}", value]
    done = subprocess.run(
        [*command, f"https://example.com:{tls.tls_port}/api/chat/stream"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert '"type":"done"' in done
    assert done.endswith("version 2")


def test_the_login_of_the_admin_works_and_its_cookies_stay_on_https(
    tls: Nginx, trust: ssl.SSLContext
) -> None:
    """The server takes nginx' word for it that the visitor came over https."""
    base = f"https://127.0.0.1:{tls.tls_port}"
    names = {"Host": "example.com", "Origin": "https://example.com"}
    sni = {"sni_hostname": "example.com"}
    with httpx.Client(base_url=base, headers=names, verify=trust, trust_env=False) as browser:
        page = browser.get("/admin/login/", extensions=sni)
        assert "; Secure" in page.headers["set-cookie"]
        assert "max-age=" in page.headers["strict-transport-security"]
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "username": "nobody@a.example"}
        answer = browser.post("/admin/login/", data=form | {"password": "wrong"}, extensions=sni)
    assert answer.status_code == 200, answer.text  # the form again, and not 403
    assert "Please enter the correct" in answer.text


def test_whoever_comes_without_tls_is_sent_to_it(tls: Nginx) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{tls.port}/admin/?next=1",
        headers={"Host": "example.com"},
        trust_env=False,
    )
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://example.com/admin/?next=1"


def test_another_name_is_not_answered(tls: Nginx) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(
            f"http://127.0.0.1:{tls.port}/", headers={"Host": "evil.example"}, trust_env=False
        )
    with pytest.raises(httpx.ConnectError, match=r"(?i)unrecognized"):
        httpx.get(f"https://127.0.0.1:{tls.tls_port}/", verify=False, trust_env=False)


async def test_modules_are_compressed_and_streams_are_not(site: Server) -> None:
    """What a page with the widget loads first is a third of what it is uncompressed."""
    both = {"Accept-Encoding": "gzip"}
    async with httpx.AsyncClient(headers=both, trust_env=False) as client:
        module = await client.get(f"{site.url}/static/dist/chat.js")
        assert module.headers["content-encoding"] == "gzip"
        assert int(module.num_bytes_downloaded) < 30_000 < len(module.content)
        assert module.headers["access-control-allow-origin"] == "*"
    body = {"message": "hello [[upstream tokens=5]]"}
    url = f"{site.url}/api/chat/stream"
    async with await Sse.open(url, site.keys.acme, body=body, headers=both) as stream:
        assert "content-encoding" not in stream.headers
        assert [event async for event in stream][-1]["type"] == "done"
