"""`wire.facade.history`: calls of the client's tools, and their results."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.errors import ClawError
from engine.request import Turn
from wire.facade.history import Call, ForeignRequest, Said, chat_of, message_of, with_tools
from wire.native import ClientTool

LIMIT = 1000
ASKED = Said("user", "Rome?", "m[0]")
TEXT = Said("assistant", "Let me see.", "m[1]")
ONE = Said("assistant", "", "m[2]", [Call("c1", "weather", '{"city":"Rome"}', "m[2].args")])
TWO = Said("assistant", "", "m[3]", [Call("c2", "weather", "", "m[3].args")])
RESULTS = [Said("tool", f"{n} degrees", f"r[{n}]", result_of=f"c{n}") for n in (1, 2)]


def turns(*said: Said) -> list[Turn]:
    return chat_of(said, "m", message_bytes=LIMIT).turns


def refusal(said: Sequence[Said], known: Sequence[str] = ()) -> tuple[str, Any]:
    with pytest.raises(ClawError) as raised:
        chat_of(said, "m", message_bytes=LIMIT, known=known)
    return raised.value.code, (raised.value.details or {}).get("field")


def test_it_works() -> None:
    asked, answer, results = turns(ASKED, TEXT, ONE, TWO, *RESULTS)
    assert asked == Turn(role="user", content="Rome?")
    assert answer.blocks == [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "c2", "name": "weather", "input": {}},
    ]
    assert [block["tool_use_id"] for block in results.blocks] == ["c1", "c2"]
    assert (answer.content, results.content) == ("Let me see.", "1 degrees\n\n2 degrees")


def test_texts_alone_stay_as_they_are() -> None:
    found = turns(ASKED, TEXT, TEXT, ASKED)
    assert [(turn.role, turn.blocks) for turn in found] == [
        ("user", []),
        ("assistant", []),
        ("assistant", []),
        ("user", []),
    ]


def test_results_may_belong_to_an_answer_that_is_known() -> None:
    request = message_of(RESULTS, "m", message_bytes=LIMIT, known=["c1", "c2"])
    (turn,) = request.turns
    assert [block["tool_use_id"] for block in turn.blocks] == ["c1", "c2"]
    assert request.message == turn.content == "1 degrees\n\n2 degrees"


def test_the_user_may_say_something_beside_results() -> None:
    (turn,) = message_of([*RESULTS, ASKED], "m", message_bytes=9, known=["c1", "c2"]).turns
    assert turn.blocks[-1] == {"type": "text", "text": "Rome?"}
    assert turn.content.endswith("Rome?")


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ([ASKED, *RESULTS], ("invalid_message", "r[1]")),
        ([ASKED, ONE, *RESULTS], ("invalid_message", "r[2]")),
        ([ASKED, ONE], ("invalid_message", "m")),
        (
            [ASKED, Said("assistant", "", "x", [Call("c", "f", "[1]", "x.args")]), ASKED],
            ("invalid_message", "x.args"),
        ),
        (
            [ASKED, Said("assistant", "", "x", [Call("c", "f", "{", "x.args")]), ASKED],
            ("invalid_message", "x.args"),
        ),
        ([Said("user", "x" * (LIMIT + 1), "m[0]")], ("message_too_large", None)),
    ],
)
def test_a_mistake_is_refused_where_it_is(said: list[Said], refused: tuple[str, Any]) -> None:
    assert refusal(said) == refused


def test_a_result_may_be_longer_than_a_message() -> None:
    long = Said("tool", "x" * (LIMIT + 1), "r", result_of="c1")
    assert turns(ASKED, ONE, long)[-1].blocks


def test_tools_are_checked_as_anywhere() -> None:
    request = ForeignRequest(message="Hi")
    tools = [ClientTool(name="a b")]
    with pytest.raises(ClawError):
        with_tools(request, tools)
    assert with_tools(request, [ClientTool(name="ab")]).tools == [ClientTool(name="ab")]
