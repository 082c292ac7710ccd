"""The common parts of OpenAI's two protocols: messages, functions, and refused fields."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.errors import ClawError, invalid
from engine.transcript import ToolUse
from wire.native import ClientTool
from wire.objects.conversations import Message

TEXTS = ("text", "input_text", "output_text", "refusal")


class Part(msgspec.Struct, frozen=True):
    """A part of a message. Only parts that are texts are understood."""

    type: str
    text: str | None = None
    refusal: str | None = None


class Function(msgspec.Struct, frozen=True):
    """A function that the client carries out. `parameters` is the JSON Schema of an object."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None

    def tool(self) -> ClientTool:
        """The same tool in the native protocol."""
        return ClientTool(
            name=self.name,
            description=self.description or "",
            input_schema=self.parameters or {},
        )


def text_of(content: str | list[Part] | None, field: str) -> str:
    """The text of all parts. Raises `invalid_message` for a part that is no text."""
    if not isinstance(content, list):
        return content or ""
    for place, part in enumerate(content):
        if part.type not in TEXTS:
            raise invalid(f"{field}[{place}]", "This agent takes text only.")
    return "\n".join(part.text or part.refusal or "" for part in content)


def refuse_unsupported(request: Any, accepted: Mapping[str, list[Any]]) -> None:
    """Refuse the options that are not supported by their names, unless they have one of these
    values. Raises `invalid_message`."""
    for name, values in accepted.items():
        if (value := getattr(request, name)) is not None and value not in values:
            raise invalid(name, f"“{name}” is not supported here: leave it out.")


def handed_over(message: Message) -> list[ToolUse]:
    """The calls with which an answer ends: the client carries them out."""
    if message.status != "completed":
        return []
    return [tool for tool in message.tools if tool.client is True and not tool.ended]


def stopped() -> ClawError:
    """The error for an answer that somebody has stopped: it must not pass for a whole one."""
    return ClawError("cancelled", "The answer was stopped before its end.")


def waiting(run_id: str) -> ClawError:
    """The error for an answer that waits for somebody's decision, which this protocol cannot
    show."""
    problem = "The agent waits for somebody's decision: its run goes on without this request."
    return ClawError("decision_required", problem, details={"runId": run_id})
