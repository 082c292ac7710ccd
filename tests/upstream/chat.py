"""Answers of Chat Completions, as OpenAI gives them and as others do."""

import json
from itertools import takewhile
from typing import Any

from tests.upstream.answer import DETAIL, Answer, Over, pause
from tests.upstream.directive import since_question
from tests.upstream.rules_chat import check

STOP = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


LIMITS = {"max_tokens", "max_completion_tokens"}


class ChatAnswer(Answer):
    """No blocks here: everything is a delta of one message."""

    check = staticmethod(check)
    malformed_events = {
        "json": b'data: {"choices":[{"index":0,"del\n\n',
        "utf8": b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe\xc3"}}]}\n\n',
    }
    thoughts = 0

    @staticmethod
    def problem(kind: str, message: str = DETAIL) -> dict[str, Any]:
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    async def stream(self) -> None:
        """First of all a server may not know the name of the limit that it was sent, or find it too
        large."""
        wants = self.directive.wants
        (sent,) = LIMITS & self.body.keys()
        (other,) = LIMITS - {sent}
        if wants == "less":
            await self._refuse(f"Invalid {sent} value, the valid range of {sent} is [1, 8].")
        elif wants and sent != wants:
            await self._refuse(f"Unsupported parameter: '{sent}'. Use '{other}' instead.")
        await super().stream()

    async def _refuse(self, message: str) -> None:
        problem = self.problem("invalid_request_error", f"{message} {DETAIL}")
        await self.connection.reply(400, problem)
        raise Over("http")

    async def begin(self) -> None:
        await self.delta(role="assistant", content="")

    async def ping(self) -> None:
        await self.wire.put(b": ping\n\n")

    async def open_text(self) -> None:
        """Nothing says so."""

    async def say(self, word: str) -> None:
        await self.delta(content=word)

    async def close_text(self) -> None:
        """Nothing says so."""

    async def thinking(self) -> None:
        self.thoughts = self.directive.think
        for i in range(self.thoughts):
            await self.delta(**{self.directive.field: f"th{i} "})
            await pause(self.directive.delay)
        self.output += self.thoughts

    async def redacted(self) -> None:
        """No such thing here."""

    async def unknown(self) -> None:
        await self.wire.event("future_event", x=1)
        await self.chunk([], future={"a": 1})
        await self.delta(future_delta={"text": "GHOST"})

    async def tool(self, number: int) -> None:
        name = self.directive.tool or self.body["tools"][0]["function"]["name"]
        arguments, whole = self.arguments(), not self.directive.index
        first = {"name": name, "arguments": arguments if whole else ""}
        call = {"id": f"call_{self.nth}_{number}", "type": "function", "function": first}
        if whole:  # as Google does
            await self.delta(tool_calls=[call])
            return
        await self.delta(tool_calls=[{"index": number, **call}])
        for i in range(0, len(arguments), 7):
            more = {"index": number, "function": {"arguments": arguments[i : i + 7]}}
            await self.delta(tool_calls=[more])

    async def ghost(self) -> None:
        await self.chunk([{"index": 7, "delta": {"content": "GHOST"}, "finish_reason": None}])

    async def report_error(self, kind: str) -> None:
        await self.wire.data(self.problem(kind))

    async def finish(self, stop: str) -> None:
        d = self.directive
        if d.mode != "nostop":
            reason = STOP.get(stop, stop)
            await self.chunk([{"index": 0, "delta": {}, "finish_reason": reason}])
        if d.usage and self.body.get("stream_options", {}).get("include_usage"):
            await self.chunk([], usage=self.usage())
        if d.done:
            await self.wire.put(b"data: [DONE]\n\n")
        await self.wire.end()

    def usage(self) -> dict[str, Any]:
        """The input with the cache, the output with the thinking."""
        prompt, cached = len(json.dumps(self.body)) // 4, self.directive.cached
        return {
            "prompt_tokens": prompt + cached,
            "completion_tokens": self.output,
            "total_tokens": prompt + cached + self.output,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": self.thoughts},
        }

    async def delta(self, **delta: Any) -> None:
        await self.chunk([{"index": 0, "delta": delta, "finish_reason": None}])

    async def chunk(self, choices: list[dict[str, Any]], **fields: Any) -> None:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
        head |= {"model": self.body["model"], "system_fingerprint": "fp_1"}
        await self.wire.data({**head, "choices": choices, "usage": None, **fields})

    def rounds(self) -> int:
        said = since_question(self.body["messages"])
        return sum("tool_calls" in message for message in said)

    def results(self) -> list[str]:
        newest = takewhile(lambda m: m["role"] == "tool", reversed(self.body["messages"]))
        return [message["content"] for message in newest][::-1]
