"""The benchmark's clients see what a server loses."""

import asyncio
import json
from typing import Any

import pytest

from bench.programs import compiled

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = {"type": "done", "reason": "complete"}


def token(index: int) -> dict[str, Any]:
    return {"type": "token", "content": f"{index}:1 ", "index": index}


def frame(event: dict[str, Any], pad: int = 0) -> bytes:
    data = json.dumps({**event, "pad": "x" * pad}).encode()
    if len(data) < 126:
        return b"\x81%c%b" % (len(data), data)
    if len(data) < 65536:
        return b"\x81\x7e%b%b" % (len(data).to_bytes(2, "big"), data)
    return b"\x81\x7f%b%b" % (len(data).to_bytes(8, "big"), data)


def chunk(event: dict[str, Any]) -> bytes:
    data = b"id: run_1:7\ndata: %b\n\n" % json.dumps(event).encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


async def run(kind: str, answer: bytes, *, at_once: int = 1 << 20, **options: object) -> Any:
    """What a client says of a server that answers so, `at_once` bytes at a time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if kind == "ws":
            writer.write(UPGRADED)
        await reader.read(4096)
        for start in range(0, len(answer), at_once):
            writer.write(answer[start : start + at_once])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    arguments = {"port": port, "kind": kind, "path": "/", "ask": "{order}", "window": 0.2}
    words = [f"{name}={value}" for name, value in (arguments | {"drain": 1} | options).items()]
    process = await asyncio.create_subprocess_exec(
        compiled("load"), *words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    server.close()
    await server.wait_closed()
    return json.loads(said.splitlines()[-1])


@pytest.mark.parametrize("at_once", [1 << 20, 7])
async def test_it_works(at_once: int) -> None:
    events = [token(0), token(1), token(2), DONE]

    found = await run("ws", b"".join(map(frame, events)), at_once=at_once)
    assert (found["tokens"], found["answers"], found["failures"]) == (3, 1, 0)

    body = HEAD + b"".join(map(chunk, events)) + b"0\r\n\r\n"
    found = await run("sse", body, at_once=at_once)
    assert (found["tokens"], found["answers"], found["failures"]) == (3, 1, 0)


@pytest.mark.parametrize(
    "events",
    [
        [token(0), token(2), DONE],
        [token(0), token(0), DONE],
        [token(1), token(0), DONE],
        [token(0), {"type": "error", "code": "internal_error"}],
        [DONE],
    ],
    ids=["lost", "doubled", "swapped", "failed", "empty"],
)
async def test_what_is_wrong_is_a_failure(events: list[dict[str, Any]]) -> None:
    found = await run("ws", b"".join(map(frame, events)))

    assert found["failures"] == 1
    assert found["error"]


async def test_an_answer_that_does_not_end_is_unfinished() -> None:
    found = await run("ws", frame(token(0)))

    assert (found["tokens"], found["unfinished"], found["answers"]) == (1, 1, 0)


async def test_a_body_that_ends_early_is_a_failure() -> None:
    found = await run("sse", HEAD + chunk(token(0)) + b"0\r\n\r\n")

    assert found["failures"] == 1


async def test_merged_tokens_and_long_frames_are_read() -> None:
    merged = {"type": "token", "content": "0:1 1:1 2:1 ", "index": 0, "count": 3}
    answer = frame(merged, pad=200) + frame(token(3), pad=70_000) + frame(DONE)

    found = await run("ws", answer)

    assert (found["tokens"], found["answers"], found["failures"]) == (4, 1, 0)


async def test_a_refusal_is_a_failure() -> None:
    found = await run("sse", b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n")

    assert found["failures"] == 1
    assert "503" in found["error"]
