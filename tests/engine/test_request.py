"""`engine.request`: what of a conversation a model is sent."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.request import Turn, fit
from engine.usage import estimate_tokens

ROLES = st.sampled_from(["user", "assistant"])
TURNS = st.lists(st.builds(Turn, role=ROLES, content=st.text(max_size=40)), max_size=12)


def user(content: str) -> Turn:
    return Turn(role="user", content=content)


def model(content: str) -> Turn:
    return Turn(role="assistant", content=content)


def test_it_works() -> None:
    turns = [user("Hello"), model("Hi"), user("How are you?")]
    assert fit(turns, 1000) == turns


def test_the_newest_that_fit_are_sent() -> None:
    turns = [user("a" * 400), model("b" * 400), user("c" * 400), model("d" * 40), user("e" * 40)]
    assert fit(turns, 130) == turns[2:]


def test_the_last_is_sent_however_long_it_is() -> None:
    turns = [user("a"), model("b"), user("c" * 4000)]
    assert fit(turns, 10) == turns[2:]


def test_the_first_that_is_sent_is_the_user_s() -> None:
    turns = [user("a" * 400), model("b"), user("c")]
    assert fit(turns, 10) == turns[2:]


def test_an_answer_that_failed_before_its_first_word_is_skipped_and_its_neighbours_joined() -> None:
    turns = [user("Hello"), model(""), user("Are you there?")]
    assert fit(turns, 1000) == [user("Hello\n\nAre you there?")]


def test_turns_with_blocks_of_their_own_are_never_joined() -> None:
    turns = [user("Go"), Turn(role="assistant", content="", blocks=[{"type": "x"}]), model("Went")]
    assert fit([*turns, user("So?")], 1000) == [*turns, user("So?")]


@given(TURNS, st.integers(1, 100))
def test_it_is_what_providers_take(turns: list[Turn], budget: int) -> None:
    asked = [*turns, user("last")]
    sent = fit(asked, budget)
    assert sent[0].role == "user" and sent[-1].content.endswith("last")
    assert all(turn.content for turn in sent)
    assert all(one.role != other.role for one, other in pairwise(sent))
    joints = 2 * len(asked)
    used = sum(estimate_tokens(len(turn.content)) for turn in sent)
    assert used <= max(budget, estimate_tokens(len("last"))) + joints
