"""`memories.tools`: what a model can do with a memory."""

from typing import Any

import pytest

from agents.models import Agent
from engine.events import MemoryOp, NewEvent
from engine.tools.base import ToolContext, ToolOutcome
from engine.tools.builtin.base import BuiltinTools
from memories.access import Owner
from memories.tools import memory_tools

pytestmark = pytest.mark.usefixtures("transactional_db")


class Memory:
    """The tools of one owner, and the events that they emit."""

    def __init__(self, owner: Owner) -> None:
        self._tools = BuiltinTools(memory_tools(owner))
        self.told: list[NewEvent] = []

    async def __call__(self, name: str, **arguments: Any) -> Any:
        context = ToolContext(run_id="run_1", timeout=5, emit=self.told.append)
        outcome = await self._tools.call("call_1", f"memory_{name}", arguments, context)
        assert isinstance(outcome, ToolOutcome)
        return outcome.result if not outcome.is_error else ("error", outcome.result)


@pytest.fixture
def ada(agent: Agent) -> Memory:
    return Memory(Owner(agent.id, "user:ada"))


@pytest.fixture
def bob(agent: Agent) -> Memory:
    return Memory(Owner(agent.id, "visitor:bob"))


async def test_it_works(ada: Memory) -> None:
    saved = (await ada("save", key=" colour ", content="Likes blue."))["saved"]
    assert saved == {"id": saved["id"], "key": "colour", "content": "Likes blue."}
    assert await ada("search", query="blue") == {"memories": [saved]}
    assert await ada("forget", id=saved["id"]) == {"forgotten": saved}
    assert await ada("search") == {"memories": []}
    assert ada.told == [
        MemoryOp(op="save", key="colour"),
        MemoryOp(op="search", key=None),
        MemoryOp(op="forget", key="colour"),
        MemoryOp(op="search", key=None),
    ]


async def test_b4_no_argument_leads_to_another_visitor(ada: Memory, bob: Memory) -> None:
    """B4: the owner is the caller, whatever a model is talked into."""
    saved = (await ada("save", key="secret", content="Likes blue."))["saved"]
    others = {"owner": "user:ada", "visitor": "user:ada", "agentId": "x"}
    assert await bob("search", query="blue", **others) == {"memories": []}
    kind, said = await bob("forget", id=saved["id"], **others)
    assert (kind, "Nothing was forgotten" in said) == ("error", True)
    assert await ada("search") == {"memories": [saved]}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("save", {"key": " ", "content": "x"}),
        ("save", {"key": "x", "content": " "}),
        ("save", {"key": "x" * 101, "content": "x"}),
        ("save", {"key": "x", "content": "x" * 4001}),
        ("forget", {}),
        ("forget", {"id": "mem_x", "key": "x"}),
        ("forget", {"id": "mem_x"}),
    ],
)
async def test_what_cannot_be_is_said(ada: Memory, name: str, arguments: dict[str, str]) -> None:
    kind, said = await ada(name, **arguments)
    assert kind == "error" and said
    assert ada.told == []


async def test_characters_that_no_database_takes_do_no_harm(ada: Memory) -> None:
    saved = (await ada("save", key="a\0b", content="x\0\ud800y"))["saved"]
    assert "\0" not in saved["key"] + saved["content"]
    assert (await ada("search", query="\0"))["memories"] == [saved]
    assert (await ada("forget", key="a\0b"))["forgotten"] == saved
