"""The address of an MCP server, its tools, and the ways in which it fails."""

import hashlib
from typing import Any

import msgspec

MAX_REASON = 1000
"""Characters of what a server says of a failure."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A program that speaks MCP on its standard input and output. It gets `env`, `PATH` and what
    names the account that it runs under, and nothing else of our environment."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A server: a name for people, and its URL (streamable HTTP) or the program to start.

    `timeout` is the longest time of a call in seconds."""

    name: str
    at: str | Command
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 30.0


class Tool(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tool as its server describes it."""

    name: str
    description: str
    input_schema: dict[str, Any]
    annotations: dict[str, Any] = {}

    @property
    def may_change_things(self) -> bool:
        """Whether the server does not promise that the tool only reads."""
        hints = self.annotations
        return hints.get("readOnlyHint") is not True or hints.get("destructiveHint") is True

    @property
    def repeatable(self) -> bool:
        """Whether the server promises that a second call of the same changes nothing more."""
        hints = self.annotations
        return hints.get("idempotentHint") is True or not self.may_change_things

    @property
    def digest(self) -> str:
        """Another value whenever the server describes the tool in another way."""
        data = msgspec.json.encode(self, order="deterministic")
        return hashlib.sha256(data).hexdigest()


class ServerFailed(Exception):
    """A server did not do what it was asked. The message is for the model and the people who have
    configured the server: it names the server and holds no secret."""


class NotBegun(ServerFailed):
    """The same where it is certain that the server has not begun to work: the call may be made
    again."""
