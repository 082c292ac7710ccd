"""`engine.limits.room`: an answer that grows too long is cut, whichever provider it comes from."""

import pytest

from engine import events as ev
from engine.errors import ProviderError
from engine.limits.room import MAX_HIDDEN_BYTES
from engine.providers.base import Delta, Hidden, TextDelta, ThinkingDelta, ToolDelta
from engine.transcript import Transcript, fold
from tests.engine.scripted import FOREVER, HELLO, Attempt, Calculator, Scripted, add, calls, of


def short(provider: Scripted, room: int, said: str = "") -> Attempt:
    """An attempt with so many bytes for the answer, of which an earlier one has `said` some."""
    transcript = fold(Transcript(), ev.Token(content=said, index=0)) if said else None
    return Attempt(provider, Calculator(), transcript=transcript, answer_bytes=room)


async def too_long(answer: Attempt) -> tuple[list[ev.Event], ev.UsageReported]:
    """What came of an answer before it was cut, and what it costs."""
    with pytest.raises(ProviderError) as raised:
        await answer.run()
    assert (raised.value.code, raised.value.retryable) == ("upstream_error", False)
    usage = answer.cut_usage(raised.value)
    assert usage is not None
    return answer.seen, usage


def text_of(events: list[ev.Event]) -> str:
    return "".join(event.content for event in of(ev.Token, events))


async def test_an_answer_that_fills_its_room_is_whole() -> None:
    assert text_of(await short(Scripted(HELLO), 5).run()) == "Hello"


@pytest.mark.parametrize("room", range(5))
async def test_an_answer_is_cut_where_its_room_ends(room: int) -> None:
    seen, usage = await too_long(short(Scripted(HELLO), room))
    assert text_of(seen) == "Hello"[:room]
    assert (usage.input_tokens, usage.source) == (9, "estimated")
    assert usage.output_tokens == -(-room // 4)


async def test_it_is_cut_between_characters_and_pieces_keep_their_places() -> None:
    for room in range(13):
        pieces = ["aé", "日", "😀z"]
        provider = Scripted([[TextDelta(pieces), TextDelta(["never"])], FOREVER()])
        seen, _ = await too_long(short(provider, room))
        whole = "".join(pieces) + "never"
        fits = whole.encode()[:room].decode(errors="ignore")
        assert text_of(seen) == fits
        assert [token.index for token in of(ev.Token, seen)] == [*range(len(of(ev.Token, seen)))]
        assert all(token.content for token in of(ev.Token, seen))
        assert provider.open == 0


async def test_bytes_are_counted_as_they_are_emitted() -> None:
    seen, _ = await too_long(short(Scripted([[TextDelta(["a\0b"])]]), 4))
    assert text_of(seen) == "a\ufffd"


async def test_text_thinking_and_arguments_share_the_room_of_all_calls() -> None:
    fragment = ToolDelta(0, '{"numbers":[2]}', "toolu_1", "add")
    first = [[ThinkingDelta("hmm"), TextDelta(["ok"]), fragment], *calls(add(2))]
    assert len(await short(Scripted(first, HELLO), 25).run()) > 0
    seen, _ = await too_long(short(Scripted(first, HELLO), 24))
    assert text_of(seen) == "okHell"
    seen, _ = await too_long(short(Scripted(first), 19))
    assert of(ev.ToolCallDelta, seen)[0].arguments == '{"numbers":[2]'
    assert not of(ev.ToolCall, seen)
    seen, _ = await too_long(short(Scripted(first), 2))
    assert [event.content for event in of(ev.Thinking, seen)] == ["hm"]


async def test_arguments_that_came_at_once_are_counted_too() -> None:
    assert await short(Scripted(calls(add(2)), HELLO), 20).run()
    seen, _ = await too_long(short(Scripted(calls(add(2))), 14))
    assert not of(ev.ToolCall, seen)


async def test_what_an_earlier_attempt_has_said_is_counted() -> None:
    seen, _ = await too_long(short(Scripted(HELLO), 10, said="so far"))
    assert text_of(seen) == "Hell"


@pytest.mark.parametrize(
    "delta", [Hidden(1000), ToolDelta(0, "", "i" * 1000, "n"), ToolDelta(0, "", "i", "n" * 1000)]
)
async def test_what_nobody_sees_is_bounded_and_paid(delta: Delta) -> None:
    script = [[delta]] * (MAX_HIDDEN_BYTES // 1000 + 1)
    _, usage = await too_long(short(Scripted(script), 1))
    assert usage.input_tokens > 0


async def test_results_of_an_earlier_attempt_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.limits.room.MAX_RESULTS_BYTES", 15)
    first = Attempt(Scripted(calls(add(1))), Calculator())
    with pytest.raises(IndexError):  # the script is over
        await first.run()
    again = Attempt(Scripted(calls(add(3)), HELLO), Calculator(), transcript=first.transcript)
    assert "was cut here" in of(ev.ToolResult, await again.run())[0].result
