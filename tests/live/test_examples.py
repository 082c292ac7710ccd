"""The programs of `examples` do what they say."""

import asyncio
import contextlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.documents import ROOT
from tests.live.clients import Rest
from tests.live.programs import run
from tests.live.server import Server

EXAMPLES = ROOT / "examples"
ASKED = "Hi [[upstream tokens=5 delay=5]]"
ANSWER = "w0 w1 w2 w3 w4"


def environment_of(server: Server, **more: str) -> dict[str, str]:
    """The environment of an example, which has the Python client."""
    source = str(ROOT / "clients" / "python" / "src")
    paths = {"PATH": os.environ["PATH"], "PYTHONPATH": source, "PYTHONUNBUFFERED": "1"}
    return paths | {"API_KEY": server.keys.acme, **more}


@contextlib.asynccontextmanager
async def running(*command: str, **env: str) -> AsyncIterator[str]:
    """A program that serves until the end of the block; the first line that it prints."""
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        yield line.decode().strip()
    finally:
        process.kill()
        await process.communicate()


# --- tickets


def labels_of(path: Path) -> dict[str, str]:
    rows: list[Any] = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row["label"] for row in rows}


def classify(server: Server, folder: Path) -> "subprocess.CompletedProcess[str]":
    program = EXAMPLES / "tickets" / "classify.py"
    files = [str(folder / name) for name in ("tickets.jsonl", "labels.jsonl")]
    options = ["--agent", "acme-agent", "--url", server.url]
    command = [sys.executable, "-W", "error", str(program), *files, *options]
    env = environment_of(server)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_tickets_are_labelled_and_what_is_left_the_next_time(
    server: Server, tmp_path: Path
) -> None:
    texts = {f"t{n}": f"[[upstream tokens={n}]]" for n in range(1, 8)}
    texts["broken"] = "[[upstream mode=error]]"
    lines = [json.dumps({"id": id, "text": text}) + "\n" for id, text in texts.items()]
    (tmp_path / "tickets.jsonl").write_text("".join(lines))
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"id": "t1", "label": "mine"}\n{"id": "t2", "lab')  # it was stopped here
    assert classify(server, tmp_path).returncode == 1
    found = labels_of(labels)
    assert found.keys() == texts.keys() - {"broken"}
    assert (found["t1"], found["t3"]) == ("mine", "w0 w1 w2")
    texts["broken"] = "[[upstream tokens=1]]"
    lines = [json.dumps({"id": id, "text": text}) + "\n" for id, text in texts.items()]
    (tmp_path / "tickets.jsonl").write_text("".join(lines))
    again = classify(server, tmp_path)
    assert again.returncode == 0 and again.stderr.strip().endswith("] 8 of 8")
    assert labels_of(labels) == found | {"broken": "w0"}


# --- email


def respond(server: Server, mail: str) -> "subprocess.CompletedProcess[bytes]":
    program = str(EXAMPLES / "email" / "respond.py")
    options = ["--agent", "acme-agent", "--url", server.url, "--address", "help@shop.example"]
    command = [sys.executable, "-W", "error", program, *options]
    env = environment_of(server)
    return subprocess.run(command, input=mail.encode(), env=env, capture_output=True, timeout=60)


MAIL = f"""\
From: Ann <ann@example.com>
Subject: Boots
Message-ID: <1@example.com>

{ASKED}
> an older text
"""


async def test_a_mail_gets_its_reply_in_its_thread(server: Server, rest: Rest) -> None:
    done = await asyncio.to_thread(respond, server, MAIL)
    assert done.returncode == 0, done.stderr
    reply = message_from_bytes(done.stdout, policy=policy.default)
    assert reply.get_content().strip() == ANSWER
    assert (reply["To"], reply["Subject"]) == ("Ann <ann@example.com>", "Re: Boots")
    assert reply["In-Reply-To"] == "<1@example.com>" and reply["Auto-Submitted"] == "auto-replied"
    more = MAIL.replace("<1@", "<2@").replace("Subject", "References: <1@example.com>\nSubject")
    assert (await asyncio.to_thread(respond, server, more)).returncode == 0
    listed = (await rest.get("/api/conversations")).json()["conversations"]
    (thread,) = [each["id"] for each in listed if each["id"].startswith("mail:")]
    messages = await rest.messages(thread)
    assert len(messages) == 4 and "older" not in messages[0]["content"]


def test_a_mail_of_a_program_gets_none(server: Server) -> None:
    done = respond(server, f"Auto-Submitted: auto-replied\n{MAIL}")
    assert (done.returncode, done.stdout) == (0, b"")


# --- slack


@pytest.fixture
def slack() -> Iterator[tuple[str, "Queue[dict[str, Any]]"]]:
    """The address of Slack's Web API, and what it is called with."""
    calls: Queue[dict[str, Any]] = Queue()

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.put({"method": self.path.removeprefix("/"), **body})
            answer = json.dumps({"ok": True, "ts": "2.0"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()
        thread.join()


async def test_a_mention_in_slack_is_answered_in_its_thread(
    server: Server, slack: tuple[str, "Queue[dict[str, Any]]"]
) -> None:
    address, calls = slack
    event = {"type": "app_mention", "text": f"<@U1> {ASKED}", "channel": "C1", "ts": "1.0"}
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event}).encode()
    options = ["--agent", "acme-agent", "--url", server.url, "--slack", address, "--port", "0"]
    program = [sys.executable, "-W", "error", str(EXAMPLES / "slack" / "bot.py"), *options]
    env = environment_of(server, SLACK_TOKEN="xoxb-1", SLACK_SECRET="secret")
    async with running(*program, **env) as url, httpx.AsyncClient(trust_env=False) as http:
        stamp = str(int(time.time()))
        signed = hmac.new(b"secret", f"v0:{stamp}:".encode() + body, sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signed}"}
        for _ in range(2):  # Slack tells it again
            assert (await http.post(url, content=body, headers=headers)).status_code == 200
        forged = headers | {"X-Slack-Signature": "v0=00"}
        assert (await http.post(url, content=body, headers=forged)).status_code == 401
        told = [await asyncio.to_thread(calls.get, timeout=60)]
        while ANSWER not in told[-1]["text"]:
            told.append(await asyncio.to_thread(calls.get, timeout=60))
    assert told[0] == {
        "method": "chat.postMessage",
        "channel": "C1",
        "thread_ts": "1.0",
        "text": "…",
    }
    assert {call["method"] for call in told[1:]} == {"chat.update"} and calls.empty()


# --- express


@pytest.mark.node
async def test_a_proxy_in_express_streams_and_goes_on(server: Server, tmp_path: Path) -> None:
    """The program as its user has it: beside its packages."""
    (tmp_path / "proxy.mjs").write_text((EXAMPLES / "express" / "proxy.mjs").read_text())
    (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "node_modules")
    env = {
        "PATH": os.environ["PATH"],
        "AGENT_URL": f"{server.url}/a/acme-agent",
        "API_KEY": server.keys.acme,
        "PORT": "0",
    }
    async with (
        running("node", str(tmp_path / "proxy.mjs"), **env) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as browser,
    ):
        asked = {"message": ASKED, "conversationId": "somebody-elses"}
        answer = await browser.post("/api/chat/stream", json=asked)
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.text.splitlines()
        events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        text = "".join(each["content"] for each in events if each["type"] == "token")
        assert text.strip() == ANSWER and events[0]["conversationId"] == browser.cookies["chat"]
        seen = f"{events[0]['runId']}:{events[-2]['seq']}"
        rest = await browser.post("/api/chat/stream", json=asked, headers={"Last-Event-ID": seen})
        assert rest.text.count("data: ") == 1 and '"done"' in rest.text
        refused = await browser.post("/api/chat/stream", json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_message")


# --- nextjs


@pytest.mark.node
async def test_a_chat_in_nextjs_streams_and_resumes(server: Server) -> None:
    """Its routes are plain functions; another browser does not get into the chat."""
    printed = await run(
        "js",
        ROOT / "tests" / "live" / "node" / "nextjs.mjs",
        FOLDER=str(EXAMPLES / "nextjs"),
        MESSAGE="Hi [[upstream tokens=40 delay=20]]",
        AGENT_URL=f"{server.url}/a/acme-agent",
        API_KEY=server.keys.acme,
    )
    text = "".join(f"w{i} " for i in range(40))
    report = {"answer": text, "resumed": text, "foreign": None, "statuses": [204]}
    assert json.loads(printed) == report


@pytest.mark.node
def test_the_page_of_nextjs_is_valid(tmp_path: Path) -> None:
    program = str(ROOT / "frontend" / "node_modules" / ".bin" / "esbuild")
    pages = [str(path) for path in (EXAMPLES / "nextjs" / "app").glob("*.jsx")]
    command = [program, *pages, f"--outdir={tmp_path}", "--jsx=automatic"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert len(pages) == 2 and done.returncode == 0, done.stderr
