"""A conversation as a file: JSON for programs, CSV for tables, Markdown for people."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, to_builtins

from conversations.models import Conversation
from conversations.rendering import render_conversation
from core.http import csv_of, utc
from wire.objects.conversations import Message
from wire.parse import dumps

COLUMNS = (
    *("id", "role", "createdAt", "status", "content", "runId", "model"),
    *("inputTokens", "outputTokens", "cost", "rating", "comment"),
)


class Export(ABC):
    """One format. The pieces, in their order, are the file."""

    media_type: str

    @abstractmethod
    def begin(self, conversation: Conversation) -> str:
        """The first piece."""

    @abstractmethod
    def add(self, messages: Sequence[Message]) -> str:
        """The piece of these messages, the oldest first."""

    def end(self) -> str:
        """The last piece."""
        return ""


class JsonExport(Export):
    """`{"conversation": ..., "messages": [...]}`, as the API has them."""

    media_type = "application/json"

    def __init__(self) -> None:
        self._separator = ""

    def begin(self, conversation: Conversation) -> str:
        """The conversation, and the beginning of the list."""
        shown = dumps(render_conversation(conversation)).decode()
        return f'{{"conversation":{shown},"messages":['

    def add(self, messages: Sequence[Message]) -> str:
        """More of the list."""
        text = ""
        for message in messages:
            text += self._separator + dumps(message).decode()
            self._separator = ","
        return text

    def end(self) -> str:
        """The end of the list."""
        return "]}"


class CsvExport(Export):
    """A line for each message (RFC 4180), after one with the names of the columns."""

    media_type = "text/csv"

    def begin(self, conversation: Conversation) -> str:
        """The names of the columns."""
        return csv_of([COLUMNS])

    def add(self, messages: Sequence[Message]) -> str:
        """More lines."""
        return csv_of([_shown(row.get(name)) for name in COLUMNS] for row in map(_row, messages))


class MarkdownExport(Export):
    """A text to read, with a heading for each message."""

    media_type = "text/markdown"

    def begin(self, conversation: Conversation) -> str:
        """The title, and who talks to whom since when."""
        self._names = {"user": "User", "assistant": conversation.agent.name}
        title = _line(conversation.title) or "Conversation"
        about = f"With {_line(conversation.agent.name)}, begun {_moment(conversation.created_at)}."
        return f"# {title}\n\n{about}\n"

    def add(self, messages: Sequence[Message]) -> str:
        """More of the conversation."""
        return "".join(map(self._said, messages))

    def _said(self, message: Message) -> str:
        text = f"\n## {_line(self._names[message.role])}, {_moment(message.created_at)}\n"
        if message.context:
            text += f"\nOn the page: {_line(message.context.title or message.context.url or '')}\n"
        if message.content:
            text += f"\n{message.content.rstrip()}\n"
        if message.error is not None:
            text += f"\n*{message.error.code}: {message.error.message}*\n"
        if message.sources:
            text += f"\nSources: {'; '.join(_line(each.title) for each in message.sources)}\n"
        return text


EXPORTS: dict[str, type[Export]] = {"json": JsonExport, "csv": CsvExport, "md": MarkdownExport}


def _row(message: Message) -> dict[str, Any]:
    row: dict[str, Any] = to_builtins(message)
    return {**row, **(row["usage"] or {}), **(row.get("feedback") or {})}


def _shown(value: Any) -> Any:
    return None if value is UNSET else value


def _line(text: str) -> str:
    return " ".join(text.split())


def _moment(moment: datetime) -> str:
    return utc(moment)[:16].replace("T", " ") + " UTC"
