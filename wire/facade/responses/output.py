"""A run's events as those of a response: what is open, what has come, and how it ends.

The stream's encoder writes what this says, and a response that is read is what it adds up to."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from engine.events import Usage
from engine.transcript import Problem
from wire.facade.openai import handed_over
from wire.facade.responses.objects import (
    INCOMPLETE,
    FunctionCall,
    IncompleteDetails,
    Item,
    ItemStatus,
    OutputMessage,
    OutputText,
    Reasoning,
    Response,
    ResponseError,
    ResponseUsage,
    SummaryText,
)
from wire.objects.conversations import Message
from wire.parse import dumps

Said: TypeAlias = tuple[str, dict[str, Any]]
"""The type of an event without `response.`, and its fields."""

OUTCOMES = ("message_complete", "cancelled", "error")
UNFINISHED = ("queued", "streaming", "waiting")


class _Piece(msgspec.Struct):
    content: str


_piece = msgspec.json.Decoder(_Piece)


class Output:
    """One response, from its beginning. `response` is what it has come to."""

    __slots__ = ("_calls", "_id", "_item", "_outcome", "_texts", "response", "told")

    def __init__(self, response: Response) -> None:
        self.response = response
        self.told = 0
        """Characters of the answer so far."""
        self._id = response.id.removeprefix("resp_")
        self._item: OutputMessage | Reasoning | None = None
        self._texts: list[str] = []
        self._calls = 0
        self._outcome: dict[str, Any] = {}

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self.response.status not in ("queued", "in_progress")

    @property
    def so_far(self) -> Response:
        """The response with what is open."""
        item, text = self._item, "".join(self._texts)
        if isinstance(item, OutputMessage):
            item = replace(item, content=[OutputText(text)])
        elif isinstance(item, Reasoning):
            item = replace(item, summary=[SummaryText(text)])
        else:
            return self.response
        return replace(self.response, output=[*self.response.output, item])

    @property
    def writing(self) -> str | None:
        """The id of the message that is open, if one is."""
        return self._item.id if isinstance(self._item, OutputMessage) else None

    @property
    def place(self) -> int:
        """The place of the open item, or of the next one."""
        return len(self.response.output)

    def begin(self) -> Iterator[Said]:
        """The events before the first one of the run."""
        yield "created", {"response": self.response}
        if self.response.status == "queued":
            yield "queued", {"response": self.response}
            self.response = replace(self.response, status="in_progress")
        yield "in_progress", {"response": self.response}

    def add(self, type_: str, data: bytes) -> Iterable[Said]:
        """Add an event of the run."""
        if type_ == "token":
            return self.text(_piece.decode(data).content)
        if type_ == "thinking":
            return self._thought(_piece.decode(data).content)
        if type_ == "tool_call":
            event = msgspec.json.decode(data)
            if event.get("client"):
                return self._call(event["id"], event["tool"], event["args"])
        elif type_ in OUTCOMES:
            self._outcome = msgspec.json.decode(data)
        elif type_ == "done" and not self.ended:  # who leaves then cancels nothing
            return self._end(msgspec.json.decode(data)["metrics"]["totalMs"])
        return ()

    def text(self, content: str) -> Iterator[Said]:
        """A piece of the answer."""
        if not isinstance(self._item, OutputMessage):
            yield from self._close("completed")
            item = OutputMessage(f"msg_{self._id}_{self.place}", "in_progress", "assistant", [])
            yield from self._open(item)
            part = {"content_index": 0, "part": OutputText("")}
            yield "content_part.added", self._placed(part)
        self._texts.append(content)
        self.told += len(content)
        yield (
            "output_text.delta",
            self._placed({"content_index": 0, "delta": content, "logprobs": []}),
        )

    def go_on(self, data: bytes) -> str:
        """Add a token to the message that is open; returns its text."""
        content = _piece.decode(data).content
        self._texts.append(content)
        self.told += len(content)
        return content

    def show(self, message: Message) -> Iterator[Said]:
        """Add the part of a message that has not come yet. Its thoughts come first or
        not at all: their place is not known any more."""
        if self._item is None and not self.place and message.thinking is not msgspec.UNSET:
            yield from self._thought(message.thinking)
        calls = [tool for tool in message.tools if tool.client is True]
        answered = [tool for tool in calls if tool.ended]
        for tool in answered[self._calls :]:
            yield from self._call(tool.id, tool.tool, tool.args)
        if rest := message.content[self.told :]:
            yield from self.text(rest)
        for tool in handed_over(message)[max(self._calls - len(answered), 0) :]:
            yield from self._call(tool.id, tool.tool, tool.args)
        if message.status not in UNFINISHED:
            yield from self._finish(message.stop_reason, message.error, message.usage, None)

    def _thought(self, content: str) -> Iterator[Said]:
        if not isinstance(self._item, Reasoning):
            yield from self._close("completed")
            yield from self._open(Reasoning(f"rs_{self._id}_{self.place}", [], "in_progress"))
            part = {"summary_index": 0, "part": SummaryText("")}
            yield "reasoning_summary_part.added", self._placed(part)
        self._texts.append(content)
        delta = {"summary_index": 0, "delta": content}
        yield "reasoning_summary_text.delta", self._placed(delta)

    def _call(self, id: str, name: str, args: dict[str, Any]) -> Iterator[Said]:
        """A call of a function that the client carries out."""
        yield from self._close("completed")
        self._calls += 1
        item = FunctionCall(f"fc_{self._id}_{self.place}", id, name, "", "in_progress")
        place = {"item_id": item.id, "output_index": self.place}
        arguments = dumps(args).decode()
        yield "output_item.added", {"output_index": self.place, "item": item}
        yield "function_call_arguments.delta", {**place, "delta": arguments}
        said = {**place, "name": name, "arguments": arguments}
        yield "function_call_arguments.done", said
        yield from self._keep(replace(item, arguments=arguments, status="completed"))

    def _open(self, item: OutputMessage | Reasoning) -> Iterator[Said]:
        self._item, self._texts = item, []
        yield "output_item.added", {"output_index": self.place, "item": item}

    def _close(self, status: ItemStatus) -> Iterator[Said]:
        """The end of the open item, if one is open."""
        item, text = self._item, "".join(self._texts)
        if isinstance(item, OutputMessage):
            part = OutputText(text)
            said = {"content_index": 0, "text": text, "logprobs": []}
            yield "output_text.done", self._placed(said)
            yield "content_part.done", self._placed({"content_index": 0, "part": part})
            yield from self._keep(replace(item, status=status, content=[part]))
        elif isinstance(item, Reasoning):
            summary = SummaryText(text)
            said = {"summary_index": 0, "text": text}
            yield "reasoning_summary_text.done", self._placed(said)
            said = {"summary_index": 0, "part": summary}
            yield "reasoning_summary_part.done", self._placed(said)
            yield from self._keep(replace(item, status=status, summary=[summary]))
        self._item = None

    def _keep(self, item: Item) -> Iterator[Said]:
        yield "output_item.done", {"output_index": self.place, "item": item}
        self.response = replace(self.response, output=[*self.response.output, item])

    def _end(self, milliseconds: int) -> Iterator[Said]:
        """The end, of the outcome that has come."""
        event = self._outcome
        problem = msgspec.convert(event, Problem) if event["type"] == "error" else None
        usage = msgspec.convert(event["usage"], Usage) if "usage" in event else None
        return self._finish(event.get("stopReason"), problem, usage, milliseconds)

    def _finish(
        self,
        stop_reason: str | None,
        problem: Problem | None,
        usage: Usage | None,
        milliseconds: int | None,
    ) -> Iterator[Said]:
        """Close what is open, then say how it ends."""
        ended: dict[str, Any] = {"usage": ResponseUsage.of(usage) if usage else None}
        if problem is not None:
            name = "failed"
            ended |= {"status": "failed", "error": ResponseError.of(problem)}
        elif stop_reason == "cancelled":
            name = "incomplete"
            ended |= {"status": "cancelled"}
        elif reason := INCOMPLETE.get(stop_reason or ""):
            name = "incomplete"
            ended |= {"status": "incomplete", "incomplete_details": IncompleteDetails(reason)}
        else:
            name = "completed"
            ended |= {"status": "completed"}
            if milliseconds is not None:
                ended |= {"completed_at": self.response.created_at + milliseconds // 1000}
        yield from self._close("completed" if name == "completed" else "incomplete")
        self.response = replace(self.response, **ended)
        yield name, {"response": self.response}

    def _placed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Fields of an event in the open item."""
        assert self._item is not None
        return {"item_id": self._item.id, "output_index": self.place, **fields}
