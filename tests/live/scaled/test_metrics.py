"""What operators see of many processes: every one is counted, and a missing worker is said."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.live.clients import Rest
from tests.live.installation import ScaledOut
from tests.live.raw import until
from tests.live.server import ROOT, Server
from tests.ports import free_port

ASK = {"message": "[[upstream tokens=20]]"}
CUT = {"message": "[[upstream mode=truncate at=3]]"}


@pytest.fixture
def stack(installation: ScaledOut, tmp_path: Path):
    """Not started: only its database, Redis and settings are used."""
    with installation.deployed(tmp_path) as stack:
        yield stack


async def page(url: str) -> dict[str, float]:
    """Every sample of `/metrics`, by its name with labels."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}/metrics")
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def ready(url: str) -> tuple[int, str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}/readyz")
    return answer.status_code, answer.json()["checks"]["workers"]


async def test_it_works_and_every_process_answers_for_all(stack, tmp_path: Path) -> None:
    server = Server(stack.env, tmp_path, stack.keys, ("serve", "--workers", "2"))
    await asyncio.to_thread(server.start)
    try:
        await until(lambda: server.log.count("serving on") == 2)
        for number in range(12):
            async with Rest(server.url, stack.keys.acme) as rest:  # a connection of its own
                answer = await rest.post("/api/chat", CUT if number % 3 == 0 else ASK)
                assert answer.status_code == (502 if number % 3 == 0 else 200)
        for _ in range(4):
            seen = await page(server.url)
            assert seen['clawsite_http_responses_total{route="api/chat",status="200"}'] == 8
            assert seen['clawsite_http_responses_total{route="api/chat",status="502"}'] == 4
            assert seen['clawsite_runs_total{provider="anthropic",reason="complete"}'] == 8
            # Once each, though a run that failed is also what its asker was answered.
            assert seen['clawsite_errors_total{code="upstream_truncated"}'] == 4
        assert seen['clawsite_unfinished_runs{status="running"}'] == 0
        assert seen["clawsite_workers"] == 2
        assert await ready(server.url) == (200, "ok")
    finally:
        server.kill()


async def test_a_worker_answers_operators_where_it_is_told_to(stack, tmp_path: Path) -> None:
    port = free_port()
    address = {"CLAW_WORKER_ADDRESS": str(port), "CLAW_METRICS_TOKEN": "scrape-me"}
    web = Server(stack.env, tmp_path, stack.keys, ("serve", "--no-work"))
    (tmp_path / "worker").mkdir()
    worker = Server(stack.env | address, tmp_path / "worker", stack.keys, ("work",))
    await asyncio.to_thread(web.start)
    try:
        async with Rest(web.url, stack.keys.acme) as rest:
            asked = asyncio.create_task(rest.post("/api/chat", ASK))
            alone = (200, "1 runs wait and no worker lives")
            async with asyncio.timeout(20):
                while await ready(web.url) != alone:  # noqa: ASYNC110 - asked of another process
                    await asyncio.sleep(0.1)
            seen = await page(web.url)
            assert seen['clawsite_unfinished_runs{status="queued"}'] == 1
            assert seen["clawsite_workers"] == 0
            doctor = await asyncio.to_thread(diagnosed, stack.env)
            assert "1 runs wait and no worker lives." in doctor
            await asyncio.to_thread(worker.start)
            assert (await asked).status_code == 200
        assert await ready(f"http://127.0.0.1:{port}") == (200, "ok")
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{port}/metrics"
            assert (await client.get(url)).status_code == 404
            told = await client.get(url, headers={"Authorization": "Bearer scrape-me"})
            assert 'clawsite_runs_total{provider="anthropic",reason="complete"} 1.0' in told.text
            assert (await client.get(f"http://127.0.0.1:{port}/api/agents")).status_code == 404
        assert "carrying out up to 500 runs at once" in worker.log
        assert await asyncio.to_thread(worker.stop) == 0
        assert '"message": "stopped"' in worker.log
    finally:
        worker.kill()
        web.kill()


async def test_a_port_that_is_taken_is_said(stack, tmp_path: Path) -> None:
    busy = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = busy.sockets[0].getsockname()[1]
    worker = replace(stack.workers[0], env=stack.env | {"CLAW_WORKER_ADDRESS": str(port)})
    async with busy:
        await asyncio.to_thread(worker.start)
        assert await asyncio.to_thread(worker.wait) == 1
    assert f"CLAW_WORKER_ADDRESS 127.0.0.1:{port}: Address already in use" in worker.log


def diagnosed(env: dict[str, str]) -> str:
    """What the doctor prints, whatever it finds."""
    command = [sys.executable, str(ROOT / "manage.py"), "doctor"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout
