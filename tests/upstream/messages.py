"""Answers of the Messages API."""

import json
from typing import Any

from tests.upstream.answer import DETAIL, Answer, pause
from tests.upstream.directive import since_question
from tests.upstream.rules import check


class MessagesAnswer(Answer):
    """`index` counts the content blocks."""

    check = staticmethod(check)
    malformed_events = {
        "json": b'event: content_block_delta\ndata: {"type":"content_block_delta","ind\n\n',
        "utf8": b'data: {"type":"content_block_delta","index":0,"delta":'
        b'{"type":"text_delta","text":"\xff\xfe\xc3"}}\n\n',
    }
    index = 0

    @staticmethod
    def problem(kind: str, message: str = DETAIL) -> dict[str, Any]:
        error = {"type": kind, "message": message}
        return {"type": "error", "error": error, "request_id": "req_1"}

    async def stream(self) -> None:
        """A turn that is paused stops in the middle of a tool of the server's own."""
        asked = self.body["messages"][-1]["role"] == "user"
        if self.directive.mode != "pause" or not asked:
            return await super().stream()
        await self.wire.begin()
        await self.begin()
        await self.text(self.directive.words()[: self.directive.pre])
        call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
        await self.block(call, [{"type": "input_json_delta", "partial_json": '{"query": "w"}'}])
        await self.finish("pause_turn")

    async def begin(self) -> None:
        await self.wire.event("message_start", message=self.message())

    async def ping(self) -> None:
        await self.wire.event("ping")

    def message(self) -> dict[str, Any]:
        """The message as it stands when it begins; `input_tokens` leaves the cache out."""
        prompt, cached = len(json.dumps(self.body)) // 4, self.directive.cached
        self.usage = {
            "input_tokens": prompt,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": cached,
        }
        fields = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
        fields |= {"model": self.body["model"], "stop_reason": None, "stop_sequence": None}
        return {**fields, "usage": {**self.usage, "output_tokens": 1}}

    async def open_text(self) -> None:
        block = {"type": "text", "text": ""}
        await self.wire.event("content_block_start", index=self.index, content_block=block)

    async def say(self, word: str) -> None:
        await self.delta(type="text_delta", text=word)

    async def close_text(self) -> None:
        await self.close_block()

    async def thinking(self) -> None:
        thoughts = [
            {"type": "thinking_delta", "thinking": f"th{i} "} for i in range(self.directive.think)
        ]
        signature = {"type": "signature_delta", "signature": "c2ln"}
        start = {"type": "thinking", "thinking": "", "signature": ""}
        await self.block(start, [*thoughts, signature])

    async def redacted(self) -> None:
        await self.block({"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}, [])

    async def tool(self, number: int) -> None:
        name = self.directive.tool or self.body["tools"][0]["name"]
        arguments = self.arguments()
        pieces = ["", *(arguments[i : i + 7] for i in range(0, len(arguments), 7))]
        call = {"type": "tool_use", "id": f"toolu_{self.nth}_{number}", "name": name, "input": {}}
        await self.block(call, [{"type": "input_json_delta", "partial_json": p} for p in pieces])

    async def unknown(self) -> None:
        await self.wire.event("future_event", x=1)
        await self.block({"type": "future_block", "a": {"b": 1}}, [{"type": "future_delta"}])
        await self.wire.event(
            "content_block_delta", index=self.index, delta={"type": "future_delta"}
        )

    async def block(self, start: dict[str, Any], deltas: list[dict[str, Any]]) -> None:
        await self.wire.event("content_block_start", index=self.index, content_block=start)
        for delta in deltas:
            await self.delta(**delta)
            if self.directive.delay:
                await pause(self.directive.delay)
        self.output += len(deltas)
        await self.close_block()

    async def close_block(self) -> None:
        await self.wire.event("content_block_stop", index=self.index)
        self.index += 1

    async def delta(self, **delta: Any) -> None:
        await self.wire.event("content_block_delta", index=self.index, delta=delta)

    async def finish(self, stop: str) -> None:
        usage = {**self.usage, "output_tokens": self.output}
        if self.directive.mode != "nostop":
            delta = {"stop_reason": stop, "stop_sequence": None}
            await self.wire.event("message_delta", delta=delta, usage=usage)
        await self.wire.event("message_stop")
        await self.wire.end()

    async def report_error(self, kind: str) -> None:
        await self.wire.event("error", error={"type": kind, "message": DETAIL})

    async def ghost(self) -> None:
        ghost = {"type": "text_delta", "text": "GHOST"}
        await self.wire.event("content_block_delta", index=7, delta=ghost)

    def rounds(self) -> int:
        said = since_question(self.body["messages"])
        return sum(bool(tool_results(message)) for message in said)

    def results(self) -> list[str]:
        return tool_results(self.body["messages"][-1])


def tool_results(message: dict[str, Any]) -> list[str]:
    if isinstance(message["content"], str):
        return []
    return [b.get("content") for b in message["content"] if b["type"] == "tool_result"]
