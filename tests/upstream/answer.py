"""One answer on the wire, whatever the API, and what can go wrong with it."""

import asyncio
import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from tests.upstream.connection import Connection
from tests.upstream.directive import Directive
from tests.upstream.wire import Wire

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"}
TYPES |= {404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}
TYPES |= {500: "api_error", 504: "timeout_error", 529: "overloaded_error"}

AT_TEXT = {"error", "drop", "truncate", "malformed", "stall"}
"""Modes that strike in the middle of the text."""
DETAIL = "SECRET-UPSTREAM-DETAIL"
"""In every error message: it must not reach a client of the product."""
GARBAGE = {
    "event": b"garbage without a colon\nevent\ndata\n\n:\n\n",
    "html": b"<html><body>502 Bad Gateway</body></html>",
}


class Over(Exception):
    """The response ended early; the argument is the state to remember."""


class Answer(ABC):
    """`run()` sends one response and returns the state in which it ended.

    A subclass speaks one API; `output` counts the deltas that were sent."""

    malformed_events: ClassVar[dict[str, bytes]]
    """`json` and `utf8`: an event that is broken in this way."""

    def __init__(
        self,
        connection: Connection,
        directive: Directive,
        body: dict[str, Any],
        nth: int,
        sent: Callable[[], None],
    ) -> None:
        self.connection, self.directive, self.body = connection, directive, body
        self.nth, self.sent = nth, sent
        self.wire = Wire(connection, split=directive.split, coalesce=directive.coalesce)
        self.output = 0

    # --- what an API says in its own way

    @staticmethod
    @abstractmethod
    def check(headers: dict[str, str], body: dict[str, Any]) -> None:
        """Raise `Refused` for what the real API would not take."""

    @staticmethod
    @abstractmethod
    def problem(kind: str, message: str = DETAIL) -> dict[str, Any]:
        """The body of a refusal."""

    @abstractmethod
    async def begin(self) -> None: ...
    @abstractmethod
    async def ping(self) -> None: ...
    @abstractmethod
    async def open_text(self) -> None: ...
    @abstractmethod
    async def say(self, word: str) -> None: ...
    @abstractmethod
    async def close_text(self) -> None: ...
    @abstractmethod
    async def thinking(self) -> None: ...
    @abstractmethod
    async def redacted(self) -> None: ...
    @abstractmethod
    async def unknown(self) -> None: ...
    @abstractmethod
    async def tool(self, number: int) -> None: ...
    @abstractmethod
    async def ghost(self) -> None: ...
    @abstractmethod
    async def report_error(self, kind: str) -> None: ...
    @abstractmethod
    async def finish(self, stop: str) -> None: ...
    @abstractmethod
    def rounds(self) -> int:
        """How many times results of tools have come back since the user asked."""

    @abstractmethod
    def results(self) -> list[str]:
        """What came back from tools just now."""

    # --- what all of them do

    async def run(self) -> str:
        d = self.directive
        await pause(d.headers)
        try:
            if d.mode in ("http", "refuse", "html", "redirect"):
                await self.refuse()
            await self.stream()
        except Over as over:
            return str(over)
        return "completed"

    async def refuse(self) -> None:
        """A response that is no stream, if it is still this answer's turn for that."""
        d, c = self.directive, self.connection
        if d.mode == "html":
            await c.reply(200, b"<html>captive portal</html>", {"content-type": "text/html"})
        elif d.mode == "redirect":
            await c.reply(307, {}, {"location": "/elsewhere"})
        elif self.nth > d.times:
            return
        elif d.mode == "refuse":
            c.cut("fin")
        elif d.what == "endless":
            await self.wire.begin(d.status)
            await self.wire.endless()
        else:
            problem = self.problem(TYPES.get(d.status, "api_error"))
            headers = {"retry-after": d.retry_after} if d.retry_after else {}
            await c.reply(d.status, problem, headers)
        raise Over(d.mode)

    async def stream(self) -> None:
        d = self.directive
        await self.wire.begin()
        await self.begin()
        await self.ping()
        await pause(d.first)
        calls = self.calls()
        match d.mode:
            case "thinking":
                await self.thinking()
            case "redacted":
                await self.redacted()
            case "unknown":
                await self.unknown()
        if calls and d.pre:
            await self.text(d.words()[: d.pre])
        for number in range(calls):
            await self.tool(number)
        if not calls and d.mode != "empty":
            results = self.results()
            told = [f"RESULT<{json.dumps(results, ensure_ascii=False)}> "] if results else []
            await self.text([*told, *d.words()])
        await self.finish("tool_use" if calls else d.stop)

    def calls(self) -> int:
        """How many tool calls this answer makes."""
        d = self.directive
        return d.tools if d.mode == "tool" and self.rounds() < d.loop else 0

    def arguments(self) -> str:
        """Of every tool call."""
        given = self.directive.input
        if not given:
            return '{"query": "weather"}'
        return "" if given == "empty" else base64.b64decode(given).decode()

    async def text(self, words: list[str]) -> None:
        d = self.directive
        await self.open_text()
        for place, word in enumerate(words):
            if place == d.at and d.mode in AT_TEXT:
                await self.fault()
            await self.say(word)
            self.output += 1
            self.sent()
            if d.ping and self.output % d.ping == 0:
                await self.ping()
            if d.delay:
                await pause(d.delay)
        if len(words) <= d.at and d.mode in AT_TEXT:
            await self.fault()
        await self.close_text()

    async def fault(self) -> None:
        d = self.directive
        match d.mode:
            case "error":
                await self.report_error(d.etype)
                await self.wire.end()
            case "drop":
                await self.wire.flush()
                self.connection.cut(d.how)
            case "truncate":
                await self.wire.end()
            case "stall":
                return await self.stall()
            case "malformed":
                await self.malformed()
                if d.what in ("event", "block"):
                    return
        raise Over(d.mode)

    async def stall(self) -> None:
        step = self.directive.ping_ms or self.directive.stall
        for _ in range(int(self.directive.stall / step)):
            await pause(step)
            if self.directive.ping_ms:
                await self.ping()

    async def malformed(self) -> None:
        what = self.directive.what
        if what == "block":
            return await self.ghost()
        if what == "chunk":
            await self.connection.write(b"ZZZ\r\nnot a chunk\r\n")
            return self.connection.cut("fin")
        if what == "endless":
            await self.wire.endless()
        await self.wire.put((GARBAGE | self.malformed_events)[what])
        if what != "event":
            await self.wire.end()


async def pause(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
