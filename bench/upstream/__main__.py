"""The twin of upstream.c where there is no C compiler: the same server, less punctual.

    python -m bench.upstream PORT

What it is asked, and what it answers, stands in upstream.c; tests hold the two together.
"""

import asyncio
import json
import re
import sys
from time import monotonic_ns
from typing import NamedTuple

import httptools

from bench.load.loop import run

MAX_PADDING = 16000
LATE = 10_000_000  # ns behind its time: a token that the machine, not the server, held up
BACKLOG = 4096
ORDER = re.compile(rb"tokens=(\d+)(?:\s+every=(\d+)(?:\s+pad=(\d+))?)?")

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
CHUNK = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":'
    b'1700000000,"model":"bench","choices":'
)


class Format(NamedTuple):
    """A format of answers; `token` takes index, time and padding, `end` the numbers of tokens."""

    start: bytes
    token: bytes
    end: bytes


MESSAGES = Format(
    start=b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_bench",'
    b'"type":"message","role":"assistant","model":"bench","content":[],'
    b'"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n',
    token=b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%d:%d %b"}}\n\n',
    end=b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":'
    b'"end_turn","stop_sequence":null},"usage":{"output_tokens":%(sent)d}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
)
CHAT = Format(
    start=CHUNK
    + b'[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
    token=CHUNK + b'[{"index":0,"delta":{"content":"%d:%d %b"},"finish_reason":null}]}\n\n',
    end=CHUNK
    + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    + CHUNK
    + b'[],"usage":{"prompt_tokens":25,"completion_tokens":%(sent)d,"total_tokens":%(all)d}}\n\n'
    b"data: [DONE]\n\n",
)


class Sent:
    """The tokens that left since the last report, and the answers that are not over."""

    def __init__(self) -> None:
        self.answers: set[Answer] = set()
        self._tokens = self._late = self._latest = 0

    def note(self, behind: int) -> None:
        """A token left so many nanoseconds behind its time."""
        self._tokens += 1
        self._late += behind > LATE
        self._latest = max(self._latest, behind)

    def told(self) -> bytes:
        """The report as JSON; it starts a new count."""
        found = {"tokens": self._tokens, "late": self._late, "latest_ms": self._latest / 1e6}
        self._tokens = self._late = self._latest = 0
        return json.dumps(found).encode() + b"\n"

    def finish(self) -> None:
        """All answers end with their next token."""
        for answer in self.answers:
            answer.tokens = answer.index or 1


class Answer:
    """One stream of tokens, each at its time."""

    def __init__(
        self, transport: asyncio.Transport, form: Format, order: tuple[int, int, int], sent: Sent
    ) -> None:
        self.tokens, every, padding = order
        self.index, self._due, self._every = 0, monotonic_ns(), every * 1_000_000
        self._padding = b"x" * min(padding, MAX_PADDING)
        self._transport, self._form, self._sent = transport, form, sent
        self._loop = asyncio.get_running_loop()
        sent.answers.add(self)
        transport.write(HEAD + chunk(form.start))
        self._next = self._loop.call_soon(self._token)

    def stop(self) -> None:
        """Send nothing more."""
        self._next.cancel()
        self._sent.answers.discard(self)

    def _token(self) -> None:
        if 0 < self.tokens <= self.index:
            self._end()
            return
        now = monotonic_ns()
        self._transport.write(chunk(self._form.token % (self.index, now, self._padding)))
        self._sent.note(now - self._due)
        self.index += 1
        self._due += self._every
        self._next = self._loop.call_later(max(0, self._due - now) / 1e9, self._token)

    def _end(self) -> None:
        self.stop()
        end = self._form.end % {b"sent": self.index, b"all": self.index + 25}
        self._transport.write(chunk(end) + b"0\r\n\r\n")


class Connection(asyncio.Protocol):
    """Reads requests; the names of its methods are those that httptools calls."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._answer: Answer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop()

    def on_message_begin(self) -> None:
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"GET":
            self._control()
            return
        self._stop()
        form = CHAT if self._url.startswith(b"/v1/chat") else MESSAGES
        self._answer = Answer(self._transport, form, ordered(self._body), self._sent)

    def _control(self) -> None:
        told = self._sent.told()
        if self._url.startswith(b"/finish"):
            self._sent.finish()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(told) + told)

    def _stop(self) -> None:
        if self._answer is not None:
            self._answer.stop()


def ordered(body: bytes) -> tuple[int, int, int]:
    """The last order: how many tokens, one in how many milliseconds, with how many letters more."""
    tokens, every, padding = [(b"100", b"", b""), *ORDER.findall(body)][-1]
    return int(tokens), int(every or 20), int(padding or 0)


def chunk(data: bytes) -> bytes:
    """A piece of the body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


async def serve(port: int) -> None:
    """Until the process ends; it says when it listens."""
    sent = Sent()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(sent), "127.0.0.1", port, backlog=BACKLOG)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    run(serve(int(sys.argv[1])))
