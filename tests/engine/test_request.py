"""`engine.request`: what of a conversation a model is sent."""

from hypothesis import given
from hypothesis import strategies as st

from engine.request import PastMessage, Turn, fit

ROLES = st.sampled_from(["user", "assistant"])
TURNS = st.lists(st.builds(Turn, role=ROLES, content=st.text(max_size=40)), max_size=12)


def user(content: str) -> Turn:
    return Turn(role="user", content=content)


def model(content: str) -> Turn:
    return Turn(role="assistant", content=content)


def said(*turns: Turn) -> list[PastMessage]:
    """Messages that are text alone."""
    return [PastMessage(text=turn) for turn in turns]


def used(text: str, result: str) -> PastMessage:
    """An answer with a tool call."""
    call = {"type": "tool_use", "id": "a", "name": "n", "input": {}}
    block = {"type": "tool_result", "tool_use_id": "a", "content": result}
    turns = [
        Turn(role="assistant", content="", blocks=[call]),
        Turn(role="user", content="", blocks=[block]),
    ]
    return PastMessage(text=model(text), turns=[*turns, model(text)])


def test_it_works() -> None:
    turns = [user("Hello"), model("Hi"), user("How are you?")]
    assert fit(said(*turns), 1000) == turns


def test_the_newest_that_fit_are_sent() -> None:
    turns = [user("a" * 400), model("b" * 400), user("c" * 400), model("d" * 40), user("e" * 40)]
    assert fit(said(*turns), 130) == turns[2:]


def test_the_last_is_sent_however_long_it_is() -> None:
    turns = [user("a"), model("b"), user("c" * 4000)]
    assert fit(said(*turns), 10) == turns[2:]


def test_what_is_blank_takes_no_room() -> None:
    turns = [user("a"), model(" " * 4000), model(""), user("b")]
    assert fit(said(*turns), 10) == [user("a"), user("b")]


def test_there_is_always_one() -> None:
    assert fit(said(user(" ")), 10) == [user(" ")]


def test_an_answer_with_tool_calls_is_sent_whole() -> None:
    answer = used("One.", "1")
    messages = [*said(user("Go")), answer, *said(user("So?"))]
    assert fit(messages, 1000) == [user("Go"), *answer.turns, user("So?")]


def test_its_text_is_sent_where_its_calls_do_not_fit() -> None:
    messages = [*said(user("Go")), used("One.", "x" * 4000), *said(user("So?"))]
    assert fit(messages, 100) == [user("Go"), model("One."), user("So?")]


def test_an_answer_of_calls_alone_that_do_not_fit_ends_what_is_sent() -> None:
    messages = [*said(user("Go")), used("", "x" * 4000), *said(user("So?"))]
    assert fit(messages, 100) == [user("So?")]


PAST = st.lists(
    st.builds(lambda turn: PastMessage(text=turn), st.builds(Turn, role=ROLES, content=st.text()))
    | st.builds(used, st.text(max_size=40), st.text(max_size=400)),
    max_size=8,
)


@given(PAST, st.integers(0, 300))
def test_no_call_is_without_its_result(messages: list[PastMessage], budget: int) -> None:
    sent = fit([*messages, *said(user("last"))], budget)
    assert sent[-1] == user("last")
    kinds = [block["type"] for turn in sent for block in turn.blocks]
    assert kinds == ["tool_use", "tool_result"] * (len(kinds) // 2)
