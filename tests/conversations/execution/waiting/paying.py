"""Agents with a tool that somebody must approve, and the record of what it has carried out."""

from typing import Any

import msgspec
import pytest

from agents.caller import Caller
from conversations.models import Decision, Run
from conversations.process.services import Services
from conversations.runs.decide import decide_approval
from engine.providers.base import ToolRequest
from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin
from engine.tools.registry import BUILTINS
from tests.conversations.execution.waiting.shop import Shop
from wire.native import Verdict


class Payment(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of the tool."""

    to: str


class Bank(Shop):
    """A tool that pays, and what it has paid."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(services, monkeypatch)
        self.paid: list[str] = []
        monkeypatch.setitem(BUILTINS, "pay", Builtin("Pays.", Payment, self._pay))

    async def _pay(self, arguments: Payment, context: ToolContext) -> str:
        self.paid.append(arguments.to)
        return f"Paid {arguments.to}."

    async def run(self, caller: Caller, *calls: ToolRequest, name: str = "c1", **rule: Any) -> Run:
        """A run that waits after the model has asked for these payments."""
        tools = [{"builtin": "pay", "approval": "always", **rule}]
        return await self.ask(caller, *calls, has=tools, conversation_id=name, if_busy="reject")

    async def decide(self, caller: Caller, run: Run, id: str, **fields: Any) -> Decision:
        """Approve a call, unless told otherwise, and wait until its run waits or has ended."""
        row = await self.row(run, id)
        verdict = Verdict(**{"args_digest": row.digest, "approve": True} | fields)
        row = await decide_approval(self.services, caller, run.pk, id, verdict)
        await self.waits(run)
        return row


def pay(id: str = "toolu_1", to: str = "Bob") -> ToolRequest:
    """A call of the tool."""
    return ToolRequest(id, "pay", {"to": to})
