"""The Python client and its command line, against a real server and a network that breaks."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from clawsite_client import AsyncClient, ClawError, Client
from clawsite_client.exchange import Transport

from tests.documents import ROOT
from tests.live.clients import Rest
from tests.live.proxy import breaking_network, silent_network
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

WORDS = "Hello [[upstream tokens=40 delay=5]]"
TEXT = "".join(f"w{i} " for i in range(40))
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"
CALLING = "Rome? [[upstream mode=tool tool=get_weather pre=2 tokens=3 input=eyJjaXR5IjoiUm9tZSJ9]]"
CUTS = [150, 1500, 900, 1200]
SOURCE = ROOT / "clients" / "python"


TRANSPORTS: tuple[Transport, ...] = ("sse", "websocket")
both = pytest.mark.parametrize("transport", TRANSPORTS)


@pytest.fixture
def clients(server: Server) -> Iterator[dict[Transport, Client]]:
    """One of each transport."""
    url, token = f"{server.url}/a/acme-agent", server.keys.acme
    with httpx2.Client(trust_env=False, timeout=60) as http:
        yield {name: Client(url, token, transport=name, http=http) for name in TRANSPORTS}


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"20 degrees in {city}"


@both
def test_it_works(clients: dict[Transport, Client], transport: Transport) -> None:
    client = clients[transport]
    reply = client.chat.send(WORDS)
    assert (reply.content, reply.stop_reason) == (TEXT, "end_turn")
    assert reply.usage and reply.usage["totalTokens"] > 0
    assert client.runs.get(reply.run_id)["content"] == TEXT
    again = client.chat.send(WORDS, conversation_id=reply.conversation_id)
    assert again.conversation_id == reply.conversation_id
    assert len(client.conversations.messages(reply.conversation_id)["messages"]) == 4


@both
async def test_nothing_is_lost_in_a_network_that_breaks(
    server: Server, transport: Transport
) -> None:
    """P2: four times, once before any event."""

    def ask(port: int) -> list[Any]:
        with (
            httpx2.Client(trust_env=False) as http,
            Client(
                f"http://127.0.0.1:{port}", server.keys.acme, http=http, transport=transport
            ) as client,
        ):
            return list(client.chat.stream(WORDS))

    async with breaking_network(server.port, CUTS) as port:
        events = await asyncio.to_thread(ask, port)
    tokens = [event for event in events if event["type"] == "token"]
    assert [token["index"] for token in tokens] == list(range(40))
    positions = [event["seq"] for event in events]
    assert positions == sorted(set(positions)) and events[-1]["type"] == "done"


@both
async def test_the_client_for_coroutines_does_the_same(
    server: Server, transport: Transport
) -> None:
    async with (
        breaking_network(server.port, CUTS) as port,
        httpx2.AsyncClient(trust_env=False) as http,
        AsyncClient(
            f"http://127.0.0.1:{port}", api_key=server.keys.acme, http=http, transport=transport
        ) as client,
    ):
        events = [event async for event in client.chat.stream(WORDS)]
        reply = await client.chat.send(WORDS)
        listed = await client.conversations.list(limit=1)
    assert "".join(each["content"] for each in events if each["type"] == "token") == TEXT
    assert reply.content == TEXT and len(listed["conversations"]) == 1


@both
def test_a_python_function_is_a_tool_of_the_agent(
    clients: dict[Transport, Client], transport: Transport
) -> None:
    reply = clients[transport].chat.send(CALLING, tools=[get_weather])
    assert "20 degrees in Rome" in reply.content


@both
async def test_a_coroutine_is_one_too(server: Server, transport: Transport) -> None:
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        await asyncio.sleep(0)
        return f"21 degrees in {city}"

    async with httpx2.AsyncClient(trust_env=False) as http:
        client = AsyncClient(server.url, server.keys.acme, http=http, transport=transport)
        assert "21 degrees" in (await client.chat.send(CALLING, tools=[get_weather])).content


@both
async def test_an_approval_is_decided_while_the_answer_waits(
    server: Server, manager: Rest, manager_token: str, transport: Transport
) -> None:
    tools = [{"builtin": "current_time", "approval": "always"}]
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": tools})
    types = []
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        client = AsyncClient(server.url, manager_token, http=http, transport=transport)
        asking = "Time? [[upstream mode=tool tool=current_time tokens=2]]"
        async for event in client.chat.stream(asking, agent="acme-agent"):
            types.append(event["type"])
            if event["type"] == "approval_required":
                await client.approve(event["runId"], event)
    assert "approval_decided" in types and types[-1] == "done"
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": []})


@both
def test_errors_have_the_code_of_the_server(
    clients: dict[Transport, Client], server: Server, transport: Transport
) -> None:
    client = clients[transport]
    with (
        Client(server.url, "claw_live_nobody", transport=transport) as stranger,
        pytest.raises(ClawError) as unknown,
    ):
        stranger.chat.send("Hi")
    assert unknown.value.code == "invalid_token"
    with pytest.raises(ClawError) as raised:
        client.chat.send("Hi [[upstream mode=error at=3]]")
    assert raised.value.code == "upstream_overloaded"
    assert raised.value.details["content"] == "w0 w1 w2 "
    with pytest.raises(ClawError) as refused:
        client.conversations.get("nothing")
    assert (refused.value.code, refused.value.status) == ("conversation_not_found", 404)
    with pytest.raises(ClawError):
        Client(server.url)
    with pytest.raises(ClawError):
        Client(server.url, "token", transport="carrier pigeon")  # type: ignore[arg-type]


@both
def test_a_run_and_a_conversation_have_their_events(
    clients: dict[Transport, Client], transport: Transport
) -> None:
    client = clients[transport]
    history = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {"role": "user", "content": WORDS},
    ]
    reply = client.chat.send(history)
    assert reply.content == TEXT
    events = list(client.runs.events(reply.run_id))
    assert events[0]["type"] == "run_started" and events[-1]["type"] == "done"
    more = list(client.conversations.send_message_stream(reply.conversation_id, WORDS))
    assert more[0]["conversationId"] == reply.conversation_id


@both
def test_a_file_is_sent_with_a_message(
    clients: dict[Transport, Client], transport: Transport
) -> None:
    client = clients[transport]
    file = client.files.upload("receipt.txt", b"Paid: 12 euros.", agent="acme-agent")
    reply = client.chat.send(WORDS, attachments=[file["id"]])
    asked, _ = client.conversations.messages(reply.conversation_id)["messages"]
    assert [each["name"] for each in asked["attachments"]] == ["receipt.txt"]


# --- the command line


def command(server: Server, *arguments: str, token: str | None = None) -> dict[str, Any]:
    """The arguments of `subprocess` for `claw`, which knows nothing but this."""
    return {
        "args": [sys.executable, "-W", "error", "-m", "clawsite_client.cli.main", *arguments],
        "env": {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE / "src"),
            "CLAW_URL": server.url,
            "CLAW_TOKEN": token or server.keys.acme,
        },
    }


def hear_ctrl_c() -> None:
    """Do not ignore SIGINT, as what a shell starts in the background does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def claw(server: Server, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    made = command(server, *arguments, token=options.pop("token", None))
    made["env"] |= options.pop("env", {})
    return subprocess.run(**made, capture_output=True, text=True, timeout=60, **options)


def test_one_question_is_answered_on_standard_output(server: Server, tmp_path: Path) -> None:
    asked = claw(server, "chat", "acme-agent", WORDS)
    assert (asked.returncode, asked.stdout) == (0, f"{TEXT}\n")
    (receipt := tmp_path / "receipt.txt").write_text("Paid: 12 euros.")
    asking = ("chat", "acme-agent", WORDS, "--json", "-f", str(receipt))
    events = claw(server, *asking).stdout.splitlines()
    run = json.loads(events[0])["runId"]
    assert json.loads(events[-1])["type"] == "done"
    assert claw(server, "runs", "tail", run, "--json").stdout.splitlines() == events
    with Client(server.url, server.keys.acme) as client:
        (said, _) = client.conversations.messages(json.loads(events[0])["conversationId"])[
            "messages"
        ]
    assert [each["name"] for each in said["attachments"]] == ["receipt.txt"]


def test_a_talk_goes_on_to_the_end_of_the_input(server: Server) -> None:
    talk = claw(server, "chat", "acme-agent", input=f"{WORDS}\n{WORDS}\n")
    assert (talk.returncode, talk.stdout) == (0, f"{TEXT}\n{TEXT}\n")


def test_exit_codes_tell_what_went_wrong(server: Server) -> None:
    failed = claw(server, "chat", "acme-agent", "Hi [[upstream mode=error]]")
    assert failed.returncode == 1 and failed.stderr.startswith("upstream_overloaded")
    nothing = claw(server, "runs", "tail", "run_nothing", "--json")
    assert nothing.returncode == 1
    assert json.loads(nothing.stderr)["error"]["code"] == "run_not_found"
    assert claw(server, "chat").returncode == 2
    assert claw(server, "agents", token="claw_live_nobody").returncode == 3


def test_what_there_is_is_listed(server: Server, manager_token: str, tmp_path: Path) -> None:
    listed = claw(server, "agents", token=manager_token)
    assert listed.stdout.split("\t")[0] == "acme-agent"
    assert json.loads(claw(server, "keys", "--json", token=manager_token).stdout)["keys"]
    used = claw(server, "usage", "--by", "model", "--json", token=manager_token)
    assert json.loads(used.stdout)["rows"]
    (page := tmp_path / "opening.txt").write_text("We open at nine.")
    added = claw(server, "docs", "add", "acme-agent", str(page), token=manager_token)
    assert json.loads(added.stdout)["title"]


def test_a_login_is_kept_for_its_user_only(server: Server, tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path), "CLAW_URL": "", "CLAW_TOKEN": ""}
    before = claw(server, "agents", env=home)
    assert before.returncode == 3 and "claw login" in before.stderr
    assert claw(server, "login", server.url, env=home, input="wrong\n").returncode == 3
    made = claw(server, "login", server.url, env=home, input=f"{server.keys.acme}\n")
    kept = tmp_path / "clawsite" / "account.json"
    assert made.returncode == 0 and kept.stat().st_mode & 0o777 == 0o600
    assert (
        claw(server, "chat", "acme-agent", "Hi [[upstream tokens=1]]", env=home).stdout == "w0 \n"
    )


async def test_ctrl_c_stops_the_run_and_not_the_talk(
    server: Server, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    ours, theirs = pty.openpty()
    made = command(server, "chat", "acme-agent")
    process = await asyncio.create_subprocess_exec(
        *made["args"],
        env=made["env"],
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=hear_ctrl_c,
    )
    os.close(theirs)
    try:
        os.write(ours, f"{LONG % tag}\n".encode())
        await call_of(upstream, tag)
        before = time.time()
        process.send_signal(signal.SIGINT)
        assert await aborted(upstream, tag) - before < 1.5
        os.write(ours, b"Hi [[upstream tokens=3]]\n\x04")
        async with asyncio.timeout(60):
            printed, said = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(OSError):
            os.close(ours)
    assert process.returncode == 0, said
    assert b"w0 w1 w2 \n" in printed and b"stopped" in said


async def test_ctrl_c_stops_a_run_of_which_nothing_has_come_yet(
    server: Server, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    made = command(server, "chat", "acme-agent", LONG % tag)
    async with silent_network(server.port) as port:
        made["env"]["CLAW_URL"] = f"http://127.0.0.1:{port}"
        process = await asyncio.create_subprocess_exec(
            *made["args"],
            env=made["env"],
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=hear_ctrl_c,
        )
        await call_of(upstream, tag)
        before = time.time()
        process.send_signal(signal.SIGINT)
        assert await aborted(upstream, tag) - before < 1.5
        _, said = await process.communicate()
    assert (process.returncode, said) == (130, b"\nstopped\n")


def test_the_wheel_has_the_client_and_its_command(tmp_path: Path) -> None:
    built = ["uv", "build", "--wheel", "--offline", "--out-dir", str(tmp_path), str(SOURCE)]
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment["UV_CACHE_DIR"] = str(tmp_path / "cache")
    done = subprocess.run(built, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"clawsite_client/py.typed", "clawsite_client/cli/main.py"} <= names
