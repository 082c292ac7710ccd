"""The benchmark's clients see what a server loses."""

import asyncio
import json
import subprocess
from typing import Any

import pytest

from bench.programs import program

pytestmark = [pytest.mark.usefixtures("language"), pytest.mark.process]

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
RESULT = {
    *("mark", "ages", "first", "first_in_window", "resumed", "tokens", "window_tokens", "answers"),
    *("window_answers", "unfinished", "failures", "longest_gap_ms", "cpu", "error"),
}
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


async def run(kind: str, answer: bytes, **how: Any) -> dict[str, Any]:
    """What a client says in the end."""
    return (await lines(kind, answer, **how))[-1]


async def lines(
    kind: str, answer: bytes, *, greeting: bytes = b"", at_once: int = 1 << 20, **options: object
) -> list[dict[str, Any]]:
    """All that a client says of a server that answers so, `at_once` bytes at a time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if kind == "ws":
            writer.write(UPGRADED + greeting)
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
    arguments = {"port": port, "kind": kind, "greeting": int(bool(greeting)), "ask": "{order}"}
    arguments |= {"window": 0.2, "drain": 1} | options
    words = [f"{name}={value}" for name, value in arguments.items()]
    process = await asyncio.create_subprocess_exec(
        *program("load"), *words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    server.close()
    await server.wait_closed()
    return [json.loads(line) for line in said.splitlines()]


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


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ({"type": "auth_ok"}, ""),
        ({"type": "error", "code": "unauthorized"}, "unauthorized"),
    ],
)
async def test_a_server_may_speak_first(first: dict[str, Any], error: str) -> None:
    found = await run("ws", frame(token(0)) + frame(DONE), greeting=frame(first))

    assert (found["answers"], found["failures"]) == ((0, 1) if error else (1, 0))
    assert error in found["error"]


async def test_a_server_that_closes_is_a_failure() -> None:
    found = await run("ws", frame(token(0)) + b"\x88\x02\x03\xe9")

    assert (found["failures"], found["unfinished"]) == (1, 0)
    assert "1001" in found["error"]


async def test_it_says_the_same_in_every_language() -> None:
    connected, begin, end, result = await lines("ws", frame(token(0)) + frame(DONE))

    assert (connected["mark"], connected.keys()) == ("connected", {"mark", "seconds"})
    assert begin.keys() == end.keys() == {"mark", "at", "streaming"}
    assert (begin["mark"], end["mark"], result["mark"]) == ("begin", "end", "result")
    assert end["at"] - begin["at"] >= 0.19e9  # of 0.2 s, in milliseconds
    assert result.keys() == RESULT
    assert result["first"].keys() == {"count", "p50", "p90", "p99", "max"}
    assert result["ages"] == {"count": 0}


@pytest.mark.parametrize("word", ["nothing=1", "streams"])
def test_a_wrong_argument_is_refused(word: str) -> None:
    done = subprocess.run([*program("load"), word], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, f"load: {word.partition('=')[0]}?\n")


async def test_a_refusal_is_a_failure() -> None:
    found = await run("sse", b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n")

    assert found["failures"] == 1
    assert "503" in found["error"]
