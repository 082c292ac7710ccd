"""`manage.py doctor --url` through nginx: one that streams, and ones that are broken on purpose."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.live.clients import Sse, WebSocket
from tests.live.nginx import Nginx, changed, published
from tests.live.raw import until
from tests.live.server import ROOT, Keys, Server, environment
from tests.postgres_server import Databases
from tests.redis_server import RedisServer

pytestmark = pytest.mark.embedded  # it has an nginx, and services, of its own

SETTINGS = {
    "CLAW_TRUSTED_PROXIES": "127.0.0.1",
    "CLAW_KEEPALIVE_INTERVAL": "1.5",
    "CLAW_PING_INTERVAL": "1.5",
}
NO_KEYS = Keys("", "", "")
PROXY = published("clawsite-proxy.conf")
TOLD_NOTHING = """
upstream inner { server 127.0.0.1:8000; }
server { listen 80; location / { proxy_pass http://inner; } }
"""


def doctor(server: Server, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and what was found."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "doctor", "--json", *arguments],
        env=server.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def problems(found: dict[str, Any]) -> dict[str, str]:
    """What is not well: what was looked at, and the exact fix for nginx (or for everybody)."""
    wrong = [finding for finding in found["findings"] if not finding["ok"]]
    return {each["check"]: each["fixes"].get("nginx") or each["fixes"]["fix"] for each in wrong}


def through(
    server: Server, folder: Path, changes: dict[str, str], *, outer: str | None = None
) -> tuple[int, dict[str, Any]]:
    """What the doctor says of this server behind our configuration with these changes and, if
    there is one, another nginx with this site before it."""
    site, proxy = published("compose.conf"), changed(PROXY, changes)
    with ExitStack() as stack:
        nginx = stack.enter_context(Nginx(folder / "nginx", [server.port], site, proxy))
        if outer is not None:
            nginx = stack.enter_context(Nginx(folder / "outer", [nginx.port], outer, ""))
        return doctor(server, "--url", nginx.before(server).url)


@pytest.mark.nginx
def test_it_works(server: Server, tmp_path: Path) -> None:
    code, found = through(server, tmp_path, {})
    assert (code, problems(found)) == (0, {})
    assert [finding["check"] for finding in found["findings"]] == [
        *("settings", "database", "secrets", "journal", "event stream", "WebSocket", "proxy")
    ]


@pytest.mark.nginx
def test_a_second_nginx_that_was_told_nothing_does_not_collect_events(
    server: Server, tmp_path: Path
) -> None:
    """It passes no upgrade on, but obeys the header that ours hands it."""
    code, found = through(server, tmp_path, {}, outer=TOLD_NOTHING)
    assert (code, set(problems(found))) == (1, {"WebSocket"})


@pytest.mark.nginx
def test_a_second_nginx_that_collects_events_is_found(server: Server, tmp_path: Path) -> None:
    """The common case: to the second one nobody says not to, and over HTTP/1.0 it holds events
    back until its buffer is full."""
    silent = {"proxy_pass_header X-Accel-Buffering;": ""}
    code, found = through(server, tmp_path, silent, outer=TOLD_NOTHING)
    assert (code, set(problems(found))) == (1, {"event stream", "WebSocket"})
    assert "proxy_buffering off;" in problems(found)["event stream"]


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        pytest.param(
            {"gzip off;": "gzip on; gzip_types text/event-stream; gzip_min_length 1;"},
            {"event stream": "gzip off;"},
            id="compression",
        ),
        pytest.param(
            {
                "proxy_set_header Upgrade $http_upgrade;": "",
                "proxy_set_header Connection $connection_upgrade;": "",
            },
            {"WebSocket": "proxy_set_header Upgrade $http_upgrade;"},
            id="no upgrade",
        ),
        pytest.param(
            {"proxy_read_timeout 300s;": "proxy_read_timeout 500ms;"},
            {"event stream": "proxy_read_timeout 300s;", "WebSocket": "proxy_read_timeout 300s;"},
            id="impatience",
        ),
    ],
)
def test_what_is_broken_is_found_and_its_fix_is_named(
    server: Server, tmp_path: Path, changes: dict[str, str], wrong: dict[str, str]
) -> None:
    code, found = through(server, tmp_path, changes)
    assert code == 1
    fixes = problems(found)
    assert set(fixes) == set(wrong), found
    for check, fix in wrong.items():
        assert fix in fixes[check]


@pytest.mark.nginx
def test_a_proxy_that_is_not_trusted_is_noticed(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server(CLAW_KEEPALIVE_INTERVAL="0.2", CLAW_PING_INTERVAL="0.5")
    code, found = through(server, tmp_path, {})
    assert code == 1
    assert set(problems(found)) == {"proxy"}
    assert "CLAW_TRUSTED_PROXIES" in found["findings"][-1]["fixes"]["fix"]


def test_an_address_where_nobody_is_is_a_problem(server: Server) -> None:
    code, found = doctor(server, "--url", "http://127.0.0.1:9")
    assert code == 1
    assert set(problems(found)) == {"event stream", "WebSocket"}


@pytest.mark.postgres
@pytest.mark.redis
def test_the_services_of_many_processes_are_looked_at(tmp_path: Path) -> None:
    databases, redis = Databases(), RedisServer(tmp_path, aof=True)
    redis.start()
    try:
        url = databases.create()
        services = {"DATABASE_URL": url, "REDIS_URL": redis.url}
        server = Server(environment(tmp_path, "http://127.0.0.1:9", **services), tmp_path, NO_KEYS)
        assert set(problems(doctor(server)[1])) == {"database"}  # no tables yet
        server.manage("migrate", "--no-input")
        code, found = doctor(server)
        assert (code, problems(found)) == (0, {})
        assert {finding["check"] for finding in found["findings"]} == {
            *("settings", "database", "secrets", "redis", "workers")
        }
        with psycopg.connect(url, autocommit=True) as connection:
            name = url.rpartition("/")[2]
            connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
        assert "on in postgresql.conf" in problems(doctor(server)[1])["database"]
    finally:
        redis.stop()
        databases.drop_all()


async def test_the_pattern_needs_no_key_but_is_rare(make_server: Callable[..., Server]) -> None:
    server = make_server()
    url = f"{server.url}/api/diagnostics/stream"
    statuses = []
    for _ in range(31):
        async with await Sse.open(url, "", method="GET", renamed=True) as stream:
            statuses.append(stream.status)
            if stream.status == 429:
                error = json.loads(await stream.body())["error"]
    assert statuses.count(200) <= 30
    assert statuses[-1] == 429
    assert error["code"] in ("rate_limited", "too_many_connections")
    assert 0 < error["retryAfter"] <= 60_000


async def test_a_pattern_ends_with_its_client_and_with_the_server(
    make_server: Callable[..., Server],
) -> None:
    """P8: neither its silence nor a client that has gone holds up anything."""
    server = make_server()
    url = f"{server.url}/api/diagnostics/stream"
    address = f"ws://127.0.0.1:{server.port}/api/diagnostics/ws"
    async with await WebSocket.open(address) as gone:
        await gone.connection.recv()
        gone.cut()
    await until(lambda: 'open"} 0' in metrics(server))
    async with (
        await WebSocket.open(address) as socket,
        await Sse.open(url, "", method="GET", renamed=True) as stream,
    ):
        await socket.connection.recv()
        await anext(aiter(stream))
        server.terminate()
        async with asyncio.timeout(10):
            async for _ in socket.connection:
                pass
            assert "end" not in [event["type"] async for event in stream]
    assert await asyncio.to_thread(server.wait) == 0


def metrics(server: Server) -> str:
    return httpx.get(f"{server.url}/metrics", trust_env=False).text
