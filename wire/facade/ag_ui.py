"""The requests of AG-UI 1.0: https://docs.ag-ui.com/concepts/architecture, with the types of
`@ag-ui/core` 1.0.0, read on 2026-11-30."""

from collections.abc import Collection, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from engine.errors import ClawError, invalid
from engine.events import Pending
from wire import parse
from wire.facade.files import Part
from wire.facade.history import Said, message_of, with_tools
from wire.facade.openai import text_of
from wire.native import ChatRequest, ClientTool, Reply, Verdict
from wire.parse import ClientId

INSTRUCTING = ("system", "developer")
Decision: TypeAlias = tuple[Pending, Verdict | Reply]
"""A decision that waits, and what was decided."""


class AgUiMessage(msgspec.Struct, frozen=True, rename="camel"):
    """A message of the thread. Activities and thoughts are left out: the agent has them."""

    role: Literal["developer", "system", "user", "assistant", "tool", "activity", "reasoning"]
    content: str | list[Part] | dict[str, Any] | None = None
    tool_call_id: str | None = None
    error: str | None = None

    def said(self, field: str) -> Said:
        """The same in the history of all protocols. Raises `invalid_message`."""
        where = f"{field}.content"
        if isinstance(self.content, dict):
            raise invalid(where, "This agent takes text only.")
        text = self.error or text_of(self.content, where)
        if self.role == "tool":
            return Said("tool", text, f"{field}.toolCallId", result_of=self.tool_call_id or "")
        return Said(self.role, text, where)


class AgUiTool(msgspec.Struct, frozen=True):
    """A tool that the client carries out. `parameters` is the JSON Schema of an object."""

    name: str
    description: str = ""
    parameters: dict[str, Any] | None = None


class ResumeEntry(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an interrupt: a text, or `{approve, reason?, args?}`."""

    interrupt_id: str
    status: Literal["resolved", "cancelled"]
    payload: Any = None

    def decision(self, pending: Sequence[Pending], field: str) -> Decision:
        """The same in the native protocol. Raises `already_decided` if it does not wait, and
        `invalid_message`."""
        call = next((call for call in pending if call.id == self.interrupt_id), None)
        if call is None:
            raise ClawError("already_decided", f"“{self.interrupt_id}” does not wait.")
        if call.kind == "question":
            return call, self._reply(call.id)
        if self.status == "cancelled":
            return call, Verdict(args_digest=call.args_digest or "", approve=False)
        if not isinstance(self.payload, dict):
            raise invalid(f"{field}.payload", "This is `{approve, reason?, args?}`.")
        given = {"argsDigest": call.args_digest, **self.payload}
        try:
            return call, msgspec.convert(given, Verdict)
        except msgspec.ValidationError:
            raise invalid(f"{field}.payload", "This is `{approve, reason?, args?}`.") from None

    def _reply(self, id: str) -> Reply:
        if self.status == "cancelled":
            return Reply(id=id, decline=True)
        given = self.payload
        text = given if isinstance(given, str) else parse.dumps(given).decode()
        return Reply(id=id, text=text)


class RunAgentInput(msgspec.Struct, frozen=True, rename="camel"):
    """The request of a run. `thread_id` names the conversation, `run_id` the run; the same again
    reads the same run again. `state` is sent back with what the agent adds to it. `context` and
    `forwardedProps` are left out."""

    thread_id: ClientId
    run_id: ClientId
    messages: list[AgUiMessage] | None = None
    tools: list[AgUiTool] | None = None
    state: Any = None
    resume: list[ResumeEntry] | None = None

    @property
    def instructions(self) -> list[str]:
        """The texts that are added to the agent's instructions. Raises `invalid_message`."""
        return [said.text for said in self._said() if said.role in INSTRUCTING]

    @property
    def fields(self) -> dict[str, Any]:
        """The state, where it is an object."""
        return self.state if isinstance(self.state, dict) else {}

    def check(self) -> None:
        """Check what types cannot express. Raises `invalid_message`."""
        parse.check_client_id("threadId", self.thread_id)
        parse.check_client_id("runId", self.run_id)

    def chat(self, known: Collection[str], *, message_bytes: int) -> ChatRequest:
        """The new messages of the thread, in the native protocol: those after the last answer. That
        has asked for the calls that are `known`. Raises `invalid_message`,
        `message_too_large`."""
        said = self._said()
        answers = [place for place, each in enumerate(said) if each.role == "assistant"]
        new = said[answers[-1] + 1 :] if answers else said
        # The client also keeps the results of the agent's own tools.
        spoken = [each for each in new if each.role == "user" or each.result_of in known]
        chat = message_of(spoken, "messages", message_bytes=message_bytes, known=known)
        tools = [
            ClientTool(
                name=tool.name, description=tool.description, input_schema=tool.parameters or {}
            )
            for tool in self.tools or ()
        ]
        return msgspec.structs.replace(
            with_tools(chat, tools),
            conversation_id=self.thread_id,
            client_message_id=self.run_id,
        )

    def decisions(self, pending: Sequence[Pending]) -> list[Decision]:
        """The decisions about all that waits. Raises `already_decided`,
        `invalid_message`."""
        entries = self.resume or []
        decided = [each.decision(pending, f"resume[{n}]") for n, each in enumerate(entries)]
        answered = {call.id for call, _ in decided}
        if missing := [call.id for call in pending if call.id not in answered]:
            raise invalid("resume", f"“{missing[0]}” waits too: answer everything that waits.")
        return decided

    def _said(self) -> list[Said]:
        known = ("activity", "reasoning")
        messages = enumerate(self.messages or ())
        return [
            each.said(f"messages[{place}]") for place, each in messages if each.role not in known
        ]


_request = msgspec.json.Decoder(RunAgentInput)


def parse_run(body: bytes) -> RunAgentInput:
    """The JSON body of a request. Raises `invalid_message`."""
    return parse.decode(_request, body)
