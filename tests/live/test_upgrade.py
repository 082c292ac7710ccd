"""Upgrades from earlier releases, as docs/deploy.md describes them (P40): the earlier server still
streams while the migrations of this one run."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.live.clients import Rest
from tests.live.server import Server, environment, install
from tests.live.watching import Watch, check_history
from tests.upstream import expected_text
from tests.upstream.process import UpstreamProcess

pytestmark = [pytest.mark.embedded, pytest.mark.scaled]

WITHOUT_TOOLS, WITH_TOOLS = "b4939c4", "534dff5"
"""Commits: the last before agents had tools, and the first of those with them."""
GIVE_TOOLS = """
from agents.models import Agent
Agent.objects.update(tools=[{"builtin": "current_time"}])
"""
TOOLS = "[[upstream mode=tool tools=2 pre=1 tokens=2]]"
ENDLESS = "[[upstream tokens=20 mode=stall]]"  # five words, then nothing


@pytest.fixture
def earlier(release: str, tmp_path: Path, upstream: UpstreamProcess) -> Iterator[Server]:
    """A server of an earlier release, with its data below `tmp_path`."""
    tree = tmp_path / "before"
    tree.mkdir()
    made = subprocess.run(
        ["git", "archive", "--output", str(tmp_path / "before.tar"), release],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"this checkout does not have {release}: {made.stderr.strip()}")
    shutil.unpack_archive(tmp_path / "before.tar", tree, filter="data")
    env = environment(tmp_path / "db.sqlite3", upstream.url, CLAW_DATA_DIR=str(tmp_path / "runs"))
    server = Server(env, tmp_path, install(env, tree), root=tree)
    if release == WITH_TOOLS:
        server.manage("shell", "-c", GIVE_TOOLS)
    try:
        yield server.start()
    finally:
        server.kill()


@pytest.mark.parametrize(("release", "tools"), [(WITHOUT_TOOLS, 0), (WITH_TOOLS, 2)])
async def test_p40_a_conversation_with_tools_survives_an_upgrade_under_open_streams(
    earlier: Server, tools: int
) -> None:
    asked, streaming, late = Watch(earlier), Watch(earlier), Watch(earlier)
    await asked.ws({"content": f"What time is it? {TOOLS}"})
    results = [event for event in asked.events if event["type"] == "tool_result"]
    stream = asyncio.create_task(streaming.ws({"content": ENDLESS}))
    await streaming.until(lambda: streaming.tokens >= 5)

    now = Server(earlier.env, earlier.folder, earlier.keys, port=earlier.port)
    await asyncio.to_thread(now.manage, "migrate", "--no-input", "--verbosity", "0")
    assert not streaming.done
    await late.ws({"content": "[[upstream tokens=3]]"})
    async with Rest(earlier.url, earlier.keys.acme) as rest:
        assert (await rest.post(f"/api/runs/{streaming.run_id}/cancel")).is_success
    await stream
    await asyncio.to_thread(earlier.stop)
    try:
        await asyncio.to_thread(now.start)
        async with Rest(now.url, now.keys.acme) as rest:
            for watch in (asked, streaming, late):
                await check_history(rest, watch.events)
            body = {"message": "And now? [[upstream tokens=4]]"}
            body["conversationId"] = asked.conversation_id
            answer = await rest.post("/api/chat", body)
            assert answer.json()["content"] == expected_text("tokens=4")
            history = await rest.get(f"/api/conversations/{asked.conversation_id}/messages")
            messages = history.json()["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant"] * 2
        assert len(messages[1].get("tools", [])) == len(results) == tools
    finally:
        now.kill()
