"""The interface of a toolbox: the tools of one run, as the agent loop uses them."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, Self

import msgspec

from engine.events import ApprovalRequired, NewEvent, Pending, Question
from engine.request import ToolSpec
from engine.tools.clock import Clock


class ToolOutcome(NamedTuple):
    """`result` is any JSON value; an error is a result too, and the model gets to see it."""

    result: Any
    is_error: bool

    def with_result(self, result: Any) -> "ToolOutcome":
        """The same outcome, with another result."""
        return ToolOutcome(result, self.is_error)


class Delegated(ToolOutcome):
    """The outcome of work that was not done within the call, and has taken `seconds`."""

    seconds: float

    def __new__(cls, result: Any, is_error: bool, seconds: float) -> Self:
        self = super().__new__(cls, result, is_error)
        self.seconds = seconds
        return self

    def with_result(self, result: Any) -> ToolOutcome:
        """See `ToolOutcome.with_result`."""
        return Delegated(result, self.is_error, self.seconds)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a call that cannot end now, because somebody must decide or answer first, or
    another agent has not ended yet (`pending` is None).

    The attempt ends without an outcome of the run once the other calls of the step have ended. The
    next attempt makes the call again, or finds its result in the log. That is so too when
    `expires_at` has come: then the toolbox says how the call ends. A run may be woken for no
    reason, so the toolbox answers `Waiting` for as long as nobody has decided.

    `asked` tells the watchers, once; they know of a client's tool from its `tool_call`."""

    pending: Pending | None
    expires_at: datetime | None
    asked: ApprovalRequired | Question | None = None


class ToolContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context of a call: the run it belongs to, and how many seconds it may take.

    `emit` adds an event to the run, such as a `status`, for as long as the call has not ended.
    `pending` is what the watchers know to wait for somebody. `clock` counts the time of the call,
    which may stop it while it waits for a person."""

    run_id: str
    timeout: float
    emit: Callable[[NewEvent], None]
    pending: Collection[Pending] = ()
    clock: Clock | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody must approve the calls of a tool: `first` means until one call of it was
    approved in the conversation. `editable`: an approver may change the arguments."""

    approval: Literal["never", "always", "first"] = "never"
    approvers: Literal["members", "visitor"] = "members"
    editable: bool = False


def policy_of(entry: dict[str, Any], approval: str = "never") -> Policy:
    """The rule in a tool's entry of an agent's configuration; `approval` where it says nothing.

    Raises `msgspec.ValidationError` for a value that there is not."""
    return msgspec.convert({"approval": approval, **entry}, Policy)


class Toolbox(Protocol):
    """The tools that one run may use. Many calls may run at once."""

    async def open(self) -> None:
        """Connect to what the tools need. Raises `ClawError` if the run cannot do without it."""
        ...

    def specs(self) -> list[ToolSpec]:
        """The tools as the model sees them. No two have one name."""
        ...

    def policy(self, name: str) -> Policy:
        """The rule for calls of this tool, which the toolbox's user keeps before `call`."""
        ...

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """Carry out call `id`. A failure of the tool, an unknown name and wrong arguments are
        outcomes with `is_error`, not exceptions. Cancelling the task ends the call at once."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


def unknown_tool(name: str) -> ToolOutcome:
    """The outcome of a call to a tool that is not there."""
    return ToolOutcome(f"There is no tool named {name!r}.", True)


class NoTools:
    """The toolbox of an agent without tools; a model that asks for one is told so."""

    async def open(self) -> None:
        """Opens nothing."""

    def specs(self) -> list[ToolSpec]:
        """None."""
        return []

    def policy(self, name: str) -> Policy:
        """Asks for no approval."""
        return Policy()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome:
        """See `Toolbox.call`."""
        return unknown_tool(name)

    async def aclose(self) -> None:
        """Closes nothing."""
