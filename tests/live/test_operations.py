"""What operators look at: readiness, metrics, logs."""

import json
from collections.abc import Callable

import httpx

from tests.live.clients import Rest, WebSocket
from tests.live.server import Server

SECRET_WORDS = "nobody-logs-what-people-say"


def plain(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


async def test_it_is_ready(server: Server) -> None:
    answer = plain(f"{server.url}/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"draining": "no", "database": "ok", "workers": "ok"},
    }


async def test_a_draining_server_is_not_ready(make_server: Callable[..., Server]) -> None:
    server = make_server()
    async with (
        await WebSocket.open(server.ws_url, server.keys.acme) as socket,
        httpx.AsyncClient(trust_env=False) as client,  # its connection was there before
    ):
        await client.get(f"{server.url}/readyz")
        await socket.send(type="message", content="hello [[upstream tokens=300 delay=10]]")
        await socket.until("token")
        server.terminate()
        await socket.until("reconnect")
        answer = await client.get(f"{server.url}/readyz")
        assert (answer.status_code, answer.json()["checks"]["draining"]) == (503, "yes")
    server.wait()


async def test_metrics_count_runs_cancels_and_errors(server: Server, ws: WebSocket) -> None:
    await ws.ask("hello [[upstream tokens=20]]")
    await ws.send(type="message", content="stop me [[upstream tokens=400 delay=10]]")
    await ws.until("token")
    await ws.send(type="cancel")
    await ws.until("done")
    await ws.send(type="nonsense")
    await ws.until("error")
    text = plain(f"{server.url}/metrics").text
    for line in (
        'clawsite_runs_total{provider="anthropic",reason="complete"} 1.0',
        'clawsite_runs_total{provider="anthropic",reason="cancelled"} 1.0',
        'clawsite_errors_total{code="invalid_message"} 1.0',
        'clawsite_first_token_seconds_count{provider="anthropic"} 2.0',
        'clawsite_cancel_seconds_count{provider="anthropic"} 1.0',
        'clawsite_tokens_after_cancel_total{provider="anthropic"} 0.0',
        'clawsite_connections{state="open"} 1.0',
    ):
        assert line in text, text


async def test_metrics_are_not_for_everybody(make_server: Callable[..., Server]) -> None:
    server = make_server(CLAW_METRICS_TOKEN="scrape-me")
    assert plain(f"{server.url}/metrics").status_code == 404
    assert plain(f"{server.url}/metrics", Authorization="Bearer wrong").status_code == 404
    assert plain(f"{server.url}/metrics", Authorization="Bearer scrape-me").status_code == 200


async def test_through_a_proxy_loopback_is_not_enough(server: Server) -> None:
    through = plain(f"{server.url}/metrics", **{"X-Forwarded-For": "203.0.113.9"})
    assert through.status_code == 404


async def test_log_lines_are_json_with_ids_and_no_words(server: Server) -> None:
    async with Rest(server.url, server.keys.acme) as rest:
        failed = await rest.post(
            "/api/chat", {"message": f"{SECRET_WORDS} [[upstream mode=truncate at=3]]"}
        )
        assert failed.status_code == 502
        await rest.get("/api/conversations", secret=SECRET_WORDS)
    lines = [json.loads(line) for line in server.log.splitlines()]
    run_id = failed.json()["error"]["details"]["runId"]
    told = [line for line in lines if line.get("run") == run_id]
    assert told and all(line["organization"].startswith("org_") for line in told)
    assert SECRET_WORDS not in server.log
    assert server.keys.acme not in server.log


async def test_an_agents_own_host_has_no_pages_but_the_api(server: Server) -> None:
    own = {"Host": f"acme-agent.localhost:{server.port}"}
    for path in ("/admin/", "/admin/login/", "/", "/a/acme-agent/", "/metrics/x"):
        assert plain(f"{server.url}{path}", **own).status_code == 404, path
    assert plain(f"{server.url}/healthz", **own).status_code == 200
    assert plain(f"{server.url}/admin/login/").status_code == 200
