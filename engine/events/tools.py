"""Events of the calls of tools, and of what they wait for."""

from datetime import datetime
from typing import Any, ClassVar

from engine.events.base import Event
from engine.events.parts import Approvers, DecidedBy


class ToolCallDelta(Event, tag="tool_call_delta", kw_only=True, frozen=True):
    """A raw fragment of a tool call's arguments. `index` tells parallel calls apart."""

    brief: ClassVar[bool] = True

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


class ToolCall(Event, tag="tool_call", kw_only=True, frozen=True):
    """A complete call. `name`/`arguments` repeat `tool`/`args` for clients that expect those.
    `client`: the client that asked carries it out, and sends the result. `child_run_id`: another
    agent carries it out, in this run."""

    id: str
    tool: str
    args: dict[str, Any]
    name: str
    arguments: dict[str, Any]
    client: bool = False
    child_run_id: str | None = None


class ToolResult(Event, tag="tool_result", kw_only=True, frozen=True):
    """The result of a tool, limited in size. `is_error` says that the tool failed, `client` that
    the client was asked for it: an answer, or the result of its own tool."""

    id: str
    tool: str
    result: Any
    is_error: bool
    duration_ms: int
    client: bool = False
    child_run_id: str | None = None


class ApprovalRequired(Event, tag="approval_required", kw_only=True, frozen=True):
    """The call `id` is carried out once somebody has approved it. `args_digest` is `sha256:` and
    the hex digest of the canonical JSON (RFC 8785) of `{runId, id, tool, args}`. A call of another
    agent's run, which this run waits for, has that run in `child_run_id`, and in its digest."""

    id: str
    tool: str
    args: dict[str, Any]
    args_digest: str
    expires_at: datetime
    approvers: Approvers
    editable: bool = False
    child_run_id: str | None = None


class ApprovalDecided(Event, tag="approval_decided", kw_only=True, frozen=True):
    """The end of an approval: somebody's decision, or its expiry. `args` are those that were
    approved in place of the model's."""

    id: str
    approved: bool
    by: DecidedBy
    approvers: Approvers
    args: dict[str, Any] | None = None
    reason: str | None = None
    child_run_id: str | None = None


class Question(Event, tag="question", kw_only=True, frozen=True):
    """The agent asks whoever talks to it. The answer is one of `choices`, or JSON that fits
    `schema`, or any text."""

    id: str
    text: str
    expires_at: datetime
    choices: list[str] | None = None
    schema: dict[str, Any] | None = None
    child_run_id: str | None = None
