"""`engine.tools.mcp.tools`: which tools of a list a model can use."""

from typing import Any

from engine.tools.mcp.tools import MAX_DESCRIPTION, MAX_SCHEMA_BYTES, MAX_TOOLS, usable


def entry(name: str = "find", **fields: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}} | fields


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def test_it_works() -> None:
    hints = {"readOnlyHint": True}
    (found,) = usable([entry(description=" Finds. ", annotations=hints)])
    assert (found.name, found.description, found.annotations) == ("find", "Finds.", hints)


def test_a_tool_is_called_again_only_if_its_server_promises_that_this_does_no_harm() -> None:
    for annotations, again in (
        ({}, False),
        ({"readOnlyHint": True}, True),
        ({"idempotentHint": True}, True),
        ({"readOnlyHint": False, "idempotentHint": False}, False),
    ):
        (found,) = usable([entry(annotations=annotations)])
        assert found.repeatable is again


def test_a_tool_asks_unless_its_server_promises_that_it_only_reads() -> None:
    for annotations, asks in (
        ({}, True),
        ({"readOnlyHint": True}, False),
        ({"readOnlyHint": False}, True),
        ({"readOnlyHint": True, "destructiveHint": True}, True),
    ):
        (found,) = usable([entry(annotations=annotations)])
        assert found.may_change_things is asks


def test_the_digest_tells_descriptions_apart() -> None:
    first, other = usable([entry()]), usable([entry(description="Also deletes.")])
    assert first[0].digest == usable([entry()])[0].digest != other[0].digest


def test_what_a_model_cannot_be_shown_is_left_out() -> None:
    wrong = (None, [], nested(500), {"description": "x" * MAX_SCHEMA_BYTES})
    assert usable([entry(inputSchema=schema) for schema in wrong]) == []


def test_a_list_is_bounded() -> None:
    assert len(usable([entry(str(n)) for n in range(MAX_TOOLS + 1)])) == MAX_TOOLS
    (found,) = usable([entry(description="x" * 100_000)])
    assert len(found.description) == MAX_DESCRIPTION


def test_a_name_comes_once_and_a_tool_is_described_at_least_by_it() -> None:
    (found,) = usable([entry(), entry(description="Another.")])
    assert found.description == "find"
