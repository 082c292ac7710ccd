"""What the documents for users show works as it stands there: every example is run against a fresh
installation with its demo agent, and every answer shown has the shape of the real one."""

import asyncio
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from engine.providers.demo.text import ANSWER, long_answer
from tests.documents import ROOT, Code, code, names, read, rows, section
from tests.live.clients import Rest, WebSocket
from tests.live.described import description
from tests.live.programs import SUFFIX, run
from tests.live.proxy import breaking_network
from tests.live.quickstart import quickstarted
from tests.live.server import Keys, Server
from tests.live.visiting import SHOP, open_to_visitors, visit

PAGE = "docs/protocol.md"
ADDRESS = "127.0.0.1:8000"


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server as `make run` starts it, and what `quickstart` has printed."""
    with quickstarted(tmp_path_factory.mktemp("quickstart")) as started:
        yield started


@pytest.fixture
def server(quickstart: tuple[Server, str]) -> Server:
    return quickstart[0]


def examples(*languages: str) -> list[Code]:
    names = (
        "clients",
        "protocol",
        "errors",
        "javascript",
        "openai",
        "ai-sdk",
        "ag-ui",
        "mcp",
        "python",
    )
    return [block for name in names for block in code(f"docs/{name}.md", *languages)]


async def print_of(example: Code, folder: Path, server: Server, port: int | None = None) -> str:
    """Run an example with the server's key; `port` instead of the server's own."""
    folder = folder / example.place.replace("/", "-")
    folder.mkdir()
    (folder / "node_modules").symlink_to(ROOT / "tests" / "node_modules")
    shutil.copytree(ROOT / "static" / "claw", folder / "claw")
    client = "clawsite_client"
    shutil.copytree(ROOT / "clients" / "python" / "src" / client, folder / client)
    program = folder / f"example{SUFFIX[example.language]}"
    program.write_text(example.text.replace(ADDRESS, f"127.0.0.1:{port or server.port}"))
    return await run(example.language, program, API_KEY=server.keys.acme)


def answer_in(printed: str) -> str:
    """The answer, however the example prints it: as text, as JSON, as events."""
    if printed.startswith("{"):
        answer = json.loads(printed)
        return str((answer["choices"][0]["message"] if "choices" in answer else answer)["content"])
    if printed.startswith("retry:"):
        events = [json.loads(data) for data in re.findall(r"^data: (.*)$", printed, re.MULTILINE)]
        return "".join(event["content"] for event in events if event["type"] == "token")
    return printed


async def check(examples: list[Code], folder: Path, server: Server) -> None:
    assert examples
    prints = await asyncio.gather(*(print_of(each, folder, server) for each in examples))
    for example, printed in zip(examples, prints, strict=True):
        assert answer_in(printed).strip() == ANSWER.strip(), example.place


async def test_it_works_with_every_python_and_shell_example_and_the_line_of_quickstart(
    quickstart: tuple[Server, str], tmp_path: Path
) -> None:
    server, printed = quickstart
    (line,) = re.findall(r"^  (curl .*)$", printed, re.MULTILINE)
    await check([*examples("sh", "python"), Code("sh", line, "quickstart")], tmp_path, server)


async def test_the_server_is_killed_and_the_answer_resumed(server: Server, tmp_path: Path) -> None:
    """P2: the block of the README as it stands, but that `pkill` knows this test's server only."""
    (example,) = code("README.md", "sh")
    program, pkill = tmp_path / "resume.sh", tmp_path / "pkill"
    pkill.write_text(f"#!/bin/sh\nexec kill -9 {server.pid}\n")
    pkill.chmod(0o755)
    text = example.text.replace(ADDRESS, f"127.0.0.1:{server.port}")
    text = text.replace(".venv/bin/python manage.py", f"{sys.executable} {ROOT}/manage.py")
    program.write_text(f"{text}\nkill -9 $!\n")
    env = server.env | {"PATH": f"{tmp_path}:{server.env['PATH']}", "API_KEY": server.keys.acme}
    try:
        printed = await run("sh", program, **env)
    finally:
        server.kill()
        server.start()
    events = [json.loads(data) for data in re.findall(r"^data: (.*)$", printed, re.MULTILINE)]
    places = [event["seq"] for event in events]  # with gaps, of what no client gets
    assert places == sorted(set(places))
    assert len({event["runId"] for event in events}) == 1
    assert (
        "".join(event["content"] for event in events if event["type"] == "token")
        == (events[-2]["content"])
    )
    assert (events[-2]["code"], events[-1]["reason"]) == ("run_interrupted", "interrupted")


@pytest.mark.node
async def test_every_javascript_example_prints_the_answer(server: Server, tmp_path: Path) -> None:
    await check(examples("js"), tmp_path, server)


@pytest.mark.parametrize("language", ["python", pytest.param("js", marks=pytest.mark.node)])
async def test_the_clients_of_the_protocol_lose_nothing_in_a_network_that_breaks(
    language: str, server: Server, tmp_path: Path
) -> None:
    """P2: three connections are reset, the first one before any event."""
    (example,) = code(PAGE, language)
    example = replace(example, text=example.text.replace('"Hello"', '"/long 60"'))
    async with breaking_network(server.port, [150, 3000, 700]) as port:
        printed = await print_of(example, tmp_path, server, port)
    assert printed.strip() == long_answer(60).strip()


async def test_the_agent_of_quickstart_answers_with_a_model_where_there_is_a_key(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    key = json.loads(server.manage("quickstart", "--json"))["apiKey"]
    async with Rest(f"{server.url}/a/my-agent", key) as rest:
        answer = await rest.post("/api/chat", {"message": "Hello [[upstream tokens=3]]"})
    assert answer.json()["content"] == "w0 w1 w2 "
    assert answer.json()["usage"]["model"].startswith("claude-")


def test_every_command_that_the_readme_shows_succeeds(server: Server) -> None:
    made = json.loads(server.manage("create_api_key", "--agent", "my-agent", "--json"))
    lines = re.findall(r"^\.venv/bin/python manage\.py (.+)$", read("README.md"), re.MULTILINE)
    assert lines
    for line in lines:
        shown_key = re.sub(r"claw_live_\w+", made["apiKey"][:18], line)
        assert server.manage(*shlex.split(shown_key))


@pytest.mark.parametrize("page", ["docs/keys.md", "docs/limits.md"])
async def test_every_command_of_an_operator_succeeds(
    page: str, server: Server, tmp_path: Path
) -> None:
    options = ("--agent", "my-agent", "--scopes", "chat,keys:write,admin", "--json")
    key = json.loads(server.manage("create_api_key", *options))["apiKey"]
    for number, example in enumerate(code(page, "sh")):
        made = json.loads(server.manage("create_api_key", "--agent", "my-agent", "--json"))
        text = re.sub(r"claw_live_\w+", made["apiKey"][:18], example.text)
        text = text.replace(".venv/bin/python manage.py", f"{sys.executable} {ROOT}/manage.py")
        program = tmp_path / f"{number}.sh"
        program.write_text(text.replace(ADDRESS, f"127.0.0.1:{server.port}"))
        assert await run("sh", program, **server.env, API_KEY=key), example.place


async def test_the_simple_clients_print_the_answer(server: Server, tmp_path: Path) -> None:
    page = "docs/simple.md"
    open_to_visitors(server, "my-agent", allowedOrigins=["http://localhost:*"])
    await check(list(code(page, "python")), tmp_path, server)
    (stream,) = code(page, "sh")
    printed = await print_of(stream, tmp_path, server)
    *texts, done = map(json.loads, re.findall(r"^data: (.*)$", printed, re.MULTILINE))
    assert "".join(each.get("content", "") for each in texts) == ANSWER
    assert done == {"done": True}


async def test_a_visitor_comes_as_the_document_says(server: Server, tmp_path: Path) -> None:
    open_to_visitors(server, "my-agent", allowedOrigins=[SHOP])
    (making,) = re.findall(r"manage\.py (create_api_key .+)", read("docs/visitors.md"))
    key = json.loads(server.manage(*shlex.split(making), "--json"))["apiKey"]
    sessions, ticket, secret = code("docs/visitors.md", "sh")
    server.keys, kept = Keys(key, "", ""), server.keys
    try:
        ids = [
            json.loads(await print_of(sessions, tmp_path, server))["visitorId"],
            json.loads(await print_of(secret, tmp_path, server))["identitySecret"],
        ]
        assert answer_in(await print_of(ticket, tmp_path, server)).strip() == ANSWER.strip()
    finally:
        server.keys = kept
    assert ids[0].startswith("anon:")
    (signing,) = code("docs/visitors.md", "python")
    program = tmp_path / "identity.py"
    program.write_text(signing.text)
    token = (await run("python", program, IDENTITY_SECRET=ids[1])).strip()
    async with await visit(server, "my-agent", identity=token) as visitor:
        assert visitor.id == "user:ada@example.com"


async def test_the_client_of_the_errors_asks_again_where_that_helps(
    server: Server, tmp_path: Path
) -> None:
    (example,) = code("docs/errors.md", "python")
    refused = replace(example, text=example.text.replace('"Hello"', '" "'), place="refused")
    with pytest.raises(AssertionError, match="invalid_message: The text is empty"):
        await print_of(refused, tmp_path, server)
    failing = example.text.replace('ask("Hello")', 'ask("/fail", attempts=2)')
    with pytest.raises(AssertionError, match="It did not work out"):
        await print_of(replace(example, text=failing, place="failing"), tmp_path, server)
    async with Rest(f"{server.url}/a/my-agent", server.keys.acme) as rest:
        latest = (await rest.get("/api/conversations", limit=2)).json()["conversations"]
    assert [conversation["title"] for conversation in latest] == ["/fail", "/fail"]


def shape(value: Any) -> Any:
    """The names in a JSON value, without what they hold."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[-1])] if isinstance(value, list) and value else None


def shown(title: str) -> list[Any]:
    """The JSON examples of a section: of an answer, first the usual one."""
    return [
        json.loads(each)
        for each in re.findall(r"```json\n(.*?)```", section(PAGE, title), re.DOTALL)
    ]


async def test_the_answers_shown_have_the_shape_of_the_real_ones(server: Server) -> None:
    async with Rest(f"{server.url}/a/my-agent", server.keys.acme) as rest:
        answer = (await rest.post("/api/chat", {"message": "/echo Hi there"})).json()
        run_path = f"/api/runs/{answer['runId']}"
        conversation = f"/api/conversations/{answer['conversationId']}"
        real = {
            "POST /api/chat": answer,
            "GET /api/runs/{runId}": (await rest.get(run_path)).json(),
            "POST /api/runs/{runId}/cancel": (await rest.post(f"{run_path}/cancel")).json(),
            "GET /api/conversations": (await rest.get("/api/conversations")).json(),
            "GET /api/conversations/{id}/messages": (
                await rest.get(f"{conversation}/messages")
            ).json(),
            "Errors": (await rest.post("/api/chat", {"message": " "})).json(),
        }
    assert {title: shape(value) for title, value in real.items()} == {
        title: shape(shown(title)[0]) for title in real
    }


def test_an_answer_that_waits_is_shown_as_it_is_described() -> None:
    described = description()["paths"]["/api/chat"]["post"]["responses"]["202"]
    schema = described["content"]["application/json"]["schema"]
    components = description()["components"]
    jsonschema_rs.validator_for(schema | {"components": components}).validate(
        shown("POST /api/chat")[1]
    )


async def test_auth_ok_is_documented_with_every_field(server: Server) -> None:
    table = {names(row[0])[0]: names(row[1]) for row in rows(section(PAGE, "From the server"))}
    async with await WebSocket.open(server.ws_url) as socket:
        await socket.send(type="auth", token=server.keys.acme, conversationId="mine")
        frame = await socket.until("auth_ok")
    assert {name.rstrip("?") for name in table["auth_ok"]} == set(frame) - {"type"}
