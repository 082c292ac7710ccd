"""Decisions about what a run waits for, which are the same over WebSocket and HTTP."""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import msgspec

from engine.errors import invalid
from wire import parse
from wire.parse import Name, Text

MAX_REASON = 2000
"""Characters of the reason for a decision."""
MAX_ANSWER = 4000
"""Characters of the answer to a question."""
MAX_DECISIONS = 100
"""Decisions in one request."""
CallId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
"""The id of a tool call."""

Reason: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_REASON)]
Always: TypeAlias = Literal["conversation", "agent"]


class Verdict(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A decision about a tool call whose digest is `args_digest`. `args` are other arguments, where
    its tool is `editable`. `always` approves later calls of the tool too, while it is as it is now:
    in this conversation, or all that its agent makes."""

    args_digest: Name
    approve: bool
    reason: Reason | None = None
    args: dict[str, Any] | None = None
    always: Always | None = None


class NamedVerdict(Verdict, frozen=True, kw_only=True):
    """A decision about the tool call `id` of the run `run_id`."""

    run_id: Name
    id: CallId


class Verdicts(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Several decisions, each about a call of its own."""

    decisions: Annotated[list[NamedVerdict], msgspec.Meta(min_length=1, max_length=MAX_DECISIONS)]


class Reply(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The answer to the question `id` of the agent, or `decline`: it stays without one."""

    SCHEMA: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {
                "required": ["text"],
                "properties": {"text": {"type": "string"}, "decline": {"const": False}},
            },
            {
                "required": ["decline"],
                "properties": {"text": {"type": "null"}, "decline": {"const": True}},
            },
        ]
    }
    """The JSON Schema of the fields that `check_reply` takes. Null means absent."""

    id: CallId
    text: Annotated[Text, msgspec.Meta(max_length=MAX_ANSWER)] | None = None
    decline: bool = False


class ClientResult(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The result of the call `id` of a tool that the client carries out: any JSON. `is_error`
    says that the tool failed, and the result why."""

    id: CallId
    result: Any
    is_error: bool = False


def check_verdict(verdict: Verdict) -> Verdict:
    """Check the texts of a decision. Raises `invalid_message`."""
    if verdict.reason:
        parse.check_text("reason", verdict.reason)
    if verdict.always is not None and not verdict.approve:
        raise invalid("always", "Later calls are approved where this one is.")
    if verdict.args is not None:
        if not verdict.approve:
            raise invalid("args", "Arguments are changed where a call is approved.")
        parse.check_storable("args", verdict.args)
    return verdict


def check_reply(reply: Reply) -> Reply:
    """Check that a question is answered or declined, and not both. Raises `invalid_message`."""
    if reply.decline:
        if reply.text is not None:
            raise invalid("text", "A question is answered or declined, not both.")
    else:
        parse.check_text("text", reply.text or "")
    return reply
