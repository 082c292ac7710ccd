"""The common parts of OpenAI's two protocols: messages, functions, and refused fields."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.errors import ClawError, invalid
from engine.transcript import ToolUse
from wire.facade.files import FILES, IMAGES, Part, files_of
from wire.facade.history import Said
from wire.native import ClientTool
from wire.objects.conversations import Message

TEXTS = ("text", "input_text", "output_text", "refusal")


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


def text_of(content: str | list[Part] | None, field: str, *, with_files: bool = False) -> str:
    """The text of all parts. Raises `invalid_message` for a part that is no text, or no file where
    there may be some."""
    if not isinstance(content, list):
        return content or ""
    known = (*TEXTS, *IMAGES, *FILES) if with_files else TEXTS
    for place, part in enumerate(content):
        if part.type not in known:
            raise invalid(f"{field}[{place}]", "There is no such part in this message.")
    texts = (part for part in content if part.type in TEXTS)
    return "\n".join(part.text or part.refusal or "" for part in texts)


def said_of(role: str, content: str | list[Part] | None, field: str) -> Said:
    """A message that is spoken; files come in those of the user. Raises `invalid_message`."""
    if role != "user":
        return Said(role, text_of(content, field), field)
    files = files_of(content, field)
    names = ", ".join(file.name or file.id for file in files)
    return Said(role, text_of(content, field, with_files=True) or names, field, files=files)


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
