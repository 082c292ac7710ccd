"""`conversations.execution.waiting.elicitation`: a tool asks the user in the middle of its call."""

import asyncio

import msgspec
import pytest

from agents.caller import Caller
from conversations.execution.waiting.elicitation import Elicitation
from conversations.process.services import Services
from conversations.runs.decide import answer_question
from engine.providers.base import ToolRequest
from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin
from engine.tools.mcp.form import Form
from engine.tools.registry import BUILTINS
from tests.conversations.execution.waiting.office import Office, asks
from tests.engine.scripted import HELLO, calls
from wire.native import Reply


class Nothing(msgspec.Struct):
    """No arguments."""


async def test_what_a_tool_beneath_asks_is_answered_above(
    services: Services, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run of the other agent goes on working meanwhile."""
    office = Office(services, monkeypatch)
    started = asyncio.get_running_loop().create_future()

    async def book(arguments: Nothing, context: ToolContext) -> str:
        elicitation = Elicitation(await started, context.emit, lambda: services.dispatcher)
        return f"Booked for {await elicitation.ask('book', Form(text='Which day?'))}."

    monkeypatch.setitem(BUILTINS, "book", Builtin("Books.", Nothing, book))
    booking = calls(ToolRequest("a", "book", {}))
    tools = [{"builtin": "book"}]
    await office.hire(caller.principal.organization_id, "expert", booking, HELLO, tools=tools)
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=[{"agent": "expert"}])
    started.set_result(await office.begun(run, "expert"))
    asked = await office.reach(run, "question")
    await office.until(run, lambda event: event.type == "run_waiting" and bool(event.pending))

    await answer_question(services, caller, [run.pk], Reply(id=asked.id, text="Monday"))
    row = await office.ended(run)
    child = await office.row(asked.child_run_id)
    assert (asked.text, row.status) == ("Which day?", "completed")
    assert child.message.tools[0]["result"] == "Booked for Monday."
    assert (await office.transcript(run)).pending == []
