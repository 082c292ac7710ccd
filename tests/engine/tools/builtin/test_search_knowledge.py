"""`engine.tools.builtin.search_knowledge`."""

import pytest

from engine.events import Event, Source, Sources, Status
from engine.tools.base import ToolContext
from engine.tools.builtin.search_knowledge import TOOL, Arguments, tool

SOURCE = Source(
    document_id="doc_1", title="Refunds", chunk_id=1, start=0, end=10, excerpt="Five days.", page=2
)


@pytest.mark.parametrize("found", [[], [SOURCE], [SOURCE, SOURCE]])
async def test_it_works(found: list[Source]) -> None:
    seen: list[Event] = []

    async def find(query: str) -> list[Source]:
        assert query == "refunds"
        return found

    context = ToolContext(run_id="run_1", timeout=5.0, emit=seen.append)
    result = await tool(find).run(Arguments("refunds"), context)
    shown = {"title": "Refunds", "page": 2, "text": "Five days."}
    assert result == {"sources": [shown] * len(found)}
    assert seen == [
        Status(message="Searching knowledge base...", stage="searching"),
        Status(message=f"Found {len(found)} relevant sources", stage="found"),
        Sources(sources=found),
    ]


async def test_without_documents_it_finds_nothing() -> None:
    context = ToolContext(run_id="run_1", timeout=5.0, emit=lambda event: None)
    assert await TOOL.run(Arguments("refunds"), context) == {"sources": []}
