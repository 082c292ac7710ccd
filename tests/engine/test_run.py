"""`engine.run`: the agent loop, with a provider that plays scripts and a small real toolbox."""

import asyncio
from typing import Any

import pytest

from engine import events as ev
from engine.errors import ProviderError, TooManySteps
from engine.providers.base import Delta, Finished, TextDelta, ThinkingDelta, ToolDelta, ToolRequest
from engine.request import Turn, estimate_prompt, with_page
from engine.tools.base import NoTools, Toolbox, ToolContext, ToolOutcome, Waiting
from tests.engine.scripted import (
    FOREVER,
    HELLO,
    REQUEST,
    Attempt,
    Calculator,
    Scripted,
    add,
    calls,
    nothing,
    of,
    waiting,
)

ADDING = Calculator()


async def test_it_works() -> None:
    provider = Scripted(HELLO)
    events = await Attempt(provider).run()
    assert events[:2] == [ev.Token(content="Hel", index=0), ev.Token(content="lo", index=1)]
    usage, step = events[2:]
    assert isinstance(usage, ev.UsageReported) and isinstance(step, ev.Step)
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (9, 2, "provider")
    assert usage.cost is not None and usage.cost > 0
    assert step.stop_reason == "end_turn"
    assert provider.requests == [REQUEST]


async def test_what_arrived_together_is_given_together() -> None:
    attempt = Attempt(Scripted(HELLO))
    await attempt.run()
    assert [len(batch) for batch in attempt.batches] == [2, 2]


async def test_after_each_step_somebody_may_wait() -> None:
    at: list[str] = []

    async def at_step() -> None:
        at.append(attempt.seen[-1].type)

    attempt = Attempt(Scripted(calls(add(2, 3)), HELLO), Calculator())
    await attempt.loop.run(attempt.emit, at_step, nothing)
    assert at == ["step", "step"]


async def test_a_tool_is_called_and_its_result_sent_back() -> None:
    provider = Scripted(calls(add(2, 3), text="Let me see. "), HELLO)
    events = await Attempt(provider, Calculator()).run()

    assert [event.type for event in events] == [
        *("token", "tool_call", "usage", "step", "tool_result"),
        *("token", "token", "usage", "step"),
    ]
    call, result = of(ev.ToolCall, events)[0], of(ev.ToolResult, events)[0]
    assert (call.tool, call.args) == (call.name, call.arguments) == ("add", {"numbers": [2, 3]})
    assert (result.id, result.result, result.is_error) == (call.id, {"sum": 5}, False)
    assert result.duration_ms >= 0
    sent = provider.requests[1].turns
    assert sent[0] == REQUEST.turns[0]
    assert sent[1].role == "assistant" and sent[1].blocks[0]["id"] == "toolu_1"
    assert sent[2].role == "user"
    assert sent[2].blocks == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": '{"sum":5}'}
    ]


async def test_a_call_whose_arguments_cannot_be_read_is_not_made_and_the_model_is_told() -> None:
    block = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    unread = [[ToolRequest("toolu_1", "add", {}, unread="{'a\0': 1")]]
    provider = Scripted([*unread, [Finished("tool_use", [block])]], HELLO)
    events = await Attempt(provider, Calculator()).run()
    assert [event.type for event in events[:4]] == ["tool_call", "tool_result", "usage", "step"]
    (result,) = of(ev.ToolResult, events)
    assert (result.id, result.is_error) == ("toolu_1", True)
    assert result.result.endswith("You wrote: {'a\ufffd': 1")
    (told,) = provider.requests[1].turns[2].blocks
    assert (told["tool_use_id"], told["is_error"]) == ("toolu_1", True)


async def test_indices_go_on_over_the_calls_of_a_run() -> None:
    thinking: list[Delta] = [ThinkingDelta("hm")]
    provider = Scripted(
        [thinking, *calls(add(1), text="a")], [thinking, *calls(add(2), text="b")], HELLO
    )
    events = await Attempt(provider, Calculator()).run()
    assert [token.index for token in of(ev.Token, events)] == [0, 1, 2, 3]
    assert [thought.index for thought in of(ev.Thinking, events)] == [0, 1]


async def test_parallel_calls_are_answered_in_one_turn_in_their_order() -> None:
    provider = Scripted(calls(add(1), add(2, id="toolu_2")), HELLO)
    events = await Attempt(provider, Calculator()).run()
    assert [result.id for result in of(ev.ToolResult, events)] == ["toolu_1", "toolu_2"]
    blocks = provider.requests[1].turns[-1].blocks
    assert [block["tool_use_id"] for block in blocks] == ["toolu_1", "toolu_2"]


async def test_an_id_that_a_server_uses_again_is_another_call() -> None:
    provider = Scripted(calls(add(1)), calls(add(2)), HELLO)
    events = await Attempt(provider, Calculator()).run()
    first, second = of(ev.ToolCall, events)
    assert first.id == "toolu_1" != second.id
    assert [result.id for result in of(ev.ToolResult, events)] == [first.id, second.id]
    *_, call, result = provider.requests[2].turns
    assert call.blocks[0]["id"] == result.blocks[0]["tool_use_id"] == second.id
    assert of(ev.Step, events)[1].blocks == call.blocks


async def test_what_a_tool_brings_can_be_stored() -> None:
    class Odd(Calculator):
        async def call(self, *_: Any) -> ToolOutcome:
            return ToolOutcome({"a\0": ["\ud83d"]}, False)

    events = await Attempt(Scripted(calls(add(1)), HELLO), Odd()).run()
    assert of(ev.ToolResult, events)[0].result == {"a\ufffd": ["\ufffd"]}


@pytest.mark.parametrize("tools", [Calculator(), NoTools()])
async def test_a_tool_that_fails_is_a_result_that_the_model_sees(tools: Toolbox) -> None:
    provider = Scripted(calls(ToolRequest("toolu_1", "other", {})), HELLO)
    events = await Attempt(provider, tools).run()
    assert of(ev.ToolResult, events)[0].is_error
    assert provider.requests[1].turns[-1].blocks[0]["is_error"] is True


async def test_a_paused_turn_is_sent_back_as_it_is() -> None:
    blocks = [{"type": "server_tool_use", "id": "srv_1"}]
    pause: list[Delta] = [TextDelta(["So "]), Finished("pause_turn", blocks)]
    provider = Scripted([pause], HELLO)
    events = await Attempt(provider).run()
    assert provider.requests[1].turns == [
        *REQUEST.turns,
        Turn(role="assistant", content="", blocks=blocks),
    ]
    assert "".join(token.content for token in of(ev.Token, events)) == "So Hello"
    assert [step.stop_reason for step in of(ev.Step, events)] == ["pause_turn", "end_turn"]


async def test_calls_of_a_turn_that_was_cut_short_are_not_carried_out() -> None:
    provider = Scripted(calls(add(1), stop="max_tokens"))
    events = await Attempt(provider, Calculator()).run()
    assert not of(ev.ToolResult, events)
    assert events[-1] == ev.Step(stop_reason="max_tokens", blocks=of(ev.Step, events)[0].blocks)


async def test_p14_the_loop_is_bounded() -> None:
    provider = Scripted(*(calls(add(n)) for n in range(5)))
    attempt = Attempt(provider, Calculator(), model_calls=3)
    with pytest.raises(TooManySteps) as raised:
        await attempt.run()
    assert len(provider.requests) == len(of(ev.UsageReported, attempt.seen)) == 3
    assert len(of(ev.ToolResult, attempt.seen)) == 2  # the last ones no model would see
    assert attempt.cut_usage(raised.value) is None  # every call was settled


async def test_fragments_of_a_call_are_passed_on() -> None:
    provider = Scripted([[ToolDelta(0, '{"numbers"', "toolu_1", "add")], *calls(add(1))], HELLO)
    events = await Attempt(provider, Calculator()).run()
    assert events[0] == ev.ToolCallDelta(index=0, arguments='{"numbers"', id="toolu_1", name="add")


# --- what is cut


async def cut(provider: Scripted, error: type[BaseException]) -> tuple[Attempt, BaseException]:
    """An attempt that an error ended, and the error."""
    answer = Attempt(provider)
    with pytest.raises(error) as raised:
        await answer.run()
    assert provider.open == 0
    return answer, raised.value


@pytest.mark.parametrize("code", ["upstream_error", "upstream_overloaded", "upstream_truncated"])
async def test_a_call_that_was_refused_costs_nothing(code: str) -> None:
    refusal = ProviderError(code, "No.", retryable=True)
    attempt, error = await cut(Scripted([refusal]), ProviderError)
    assert attempt.cut_usage(error) is None


async def test_a_call_that_was_counted_before_it_failed_is_paid() -> None:
    failure = ProviderError("upstream_error", "No.", retryable=True)
    answer, error = await cut(Scripted([HELLO[0], failure]), ProviderError)
    usage = answer.cut_usage(error)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (9, 0, "estimated")


async def test_a_call_that_was_cut_is_estimated_from_what_was_seen() -> None:
    failure = ProviderError("upstream_truncated", "No.", retryable=True)
    answer, error = await cut(
        Scripted([[ThinkingDelta("x" * 40)], [TextDelta("y" * 41)], failure]), ProviderError
    )
    usage = answer.cut_usage(error)
    assert usage is not None
    assert (usage.output_tokens, usage.source) == (21, "estimated")
    assert usage.input_tokens == estimate_prompt(REQUEST) > 0


async def test_a_call_that_timed_out_without_a_word_may_still_be_billed() -> None:
    timeout = ProviderError("upstream_timeout", "Too slow.", retryable=True)
    answer, error = await cut(Scripted([timeout]), ProviderError)
    usage = answer.cut_usage(error)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (estimate_prompt(REQUEST), 0)


async def test_a_call_is_cut_once() -> None:
    failure = ProviderError("upstream_error", "No.", retryable=True)
    answer, error = await cut(Scripted([HELLO[0], failure]), ProviderError)
    assert answer.cut_usage(error) is not None
    assert answer.cut_usage(error) is None


async def test_only_the_call_that_was_cut_is_reported_later() -> None:
    failure = ProviderError("upstream_error", "No.", retryable=True)
    provider = Scripted(calls(add(1)), [[TextDelta(["abcd"])], failure])
    attempt = Attempt(provider, Calculator())
    with pytest.raises(ProviderError) as raised:
        await attempt.run()
    usage = attempt.cut_usage(raised.value)
    assert len(of(ev.UsageReported, attempt.seen)) == 1
    assert usage is not None and usage.output_tokens == 1


async def test_a_provider_that_ends_without_finished_is_a_defect_and_is_paid() -> None:
    answer, error = await cut(Scripted([[TextDelta(["abcd"])]]), RuntimeError)
    assert answer.cut_usage(error) is not None


async def test_p10_cancelling_the_task_ends_the_call_wherever_it_is() -> None:
    for script in ([FOREVER()], [*HELLO[:2], FOREVER()]):
        provider = Scripted(script)
        answer = Attempt(provider)
        task = asyncio.create_task(answer.run())
        await provider.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        assert provider.open == 0
        assert answer.cut_usage(raised.value) is not None


async def test_what_emit_raises_ends_the_run_as_it_is() -> None:
    def refuse(events: list[ev.Event]) -> None:
        raise LookupError

    provider = Scripted(HELLO)
    answer = Attempt(provider)
    with pytest.raises(LookupError) as raised:
        await answer.loop.run(refuse, nothing, nothing)
    assert provider.open == 0
    assert answer.cut_usage(raised.value) is not None


async def test_cancelling_during_a_tool_reports_no_call_twice() -> None:
    class Slow(Calculator):
        async def call(self, *_: Any) -> ToolOutcome:
            began.set()
            await FOREVER().wait()
            raise AssertionError("never")

    began = asyncio.Event()
    attempt = Attempt(Scripted(calls(add(1))), Slow())
    task = asyncio.create_task(attempt.run())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await task
    assert len(of(ev.UsageReported, attempt.seen)) == 1
    assert attempt.cut_usage(raised.value) is None


# --- what an earlier attempt has left


class Asking(Calculator):
    """Its first call of each id waits for somebody."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        if id in self.asked or args["numbers"] == [0]:
            return await super().call(id, name, args, context)
        self.asked.add(id)
        return waiting(id)


async def test_a_run_goes_on_after_its_last_finished_step() -> None:
    failure = ProviderError("upstream_error", "No.", retryable=True)
    first = Attempt(Scripted(calls(add(2, 3), text="So "), [[TextDelta(["it "])], failure]), ADDING)
    with pytest.raises(ProviderError):
        await first.run()
    provider = Scripted(calls(add(4)), HELLO)
    again = Attempt(provider, ADDING, transcript=first.transcript)
    events = await again.run()
    asked = provider.requests[0].turns
    assert [turn.role for turn in asked] == ["user", "assistant", "user", "assistant", "user"]
    assert asked[3].content == "it "
    assert [token.index for token in of(ev.Token, events)] == [2, 3]
    (call,) = of(ev.ToolCall, events)
    assert call.id != "toolu_1"  # an id of the first attempt is another call
    assert str(again.transcript.text) == "So it Hello"


async def test_the_calls_of_all_attempts_are_bounded_together() -> None:
    first = Attempt(Scripted(calls(add(0)), calls(add(1))), Asking())
    await first.run()
    provider = Scripted(HELLO)
    with pytest.raises(TooManySteps):
        await Attempt(provider, ADDING, transcript=first.transcript, model_calls=2).run()
    assert not provider.requests


async def test_a_call_that_waits_ends_the_attempt_once_the_others_have_ended() -> None:
    tools = Asking()
    script = calls(add(1, id="a"), add(0, id="b"), add(2, id="c"))
    attempt = Attempt(Scripted(script), tools)
    events = await attempt.run()
    assert {waiting.pending.id for waiting in attempt.waiting} == {"a", "c"}
    assert [result.id for result in of(ev.ToolResult, events)] == ["b"]

    provider = Scripted(HELLO)
    again = Attempt(provider, tools, transcript=attempt.transcript)
    events = await again.run()
    assert not again.waiting and str(again.transcript.text) == "Hello"
    assert {result.id for result in of(ev.ToolResult, events)} == {"a", "c"}
    blocks = provider.requests[0].turns[-1].blocks
    assert [block["tool_use_id"] for block in blocks] == ["a", "b", "c"]


async def test_an_answer_that_stands_asks_nobody() -> None:
    first = Attempt(Scripted(HELLO))
    await first.run()
    assert await Attempt(Scripted(), transcript=first.transcript).run() == []


async def test_the_model_is_told_of_the_tools() -> None:
    provider = Scripted(HELLO)
    await Attempt(provider, ADDING).run()
    assert [tool.name for tool in provider.requests[0].tools] == ["add"]


async def test_a_message_joins_after_the_tools_of_a_step() -> None:
    """The model gets it with its page behind the results, once, and in every later call of the
    run."""
    provider = Scripted(calls(add(2, 3)), calls(add(4, 5, id="toolu_2")), HELLO)
    attempt = Attempt(provider, Calculator())
    context = {"title": "Boots"}
    joining = [ev.Steered(user_message_id="msg_2", content="Be quick", context=context)]
    told = with_page("Be quick", context)

    async def steer() -> None:
        if joining:
            attempt.emit([joining.pop()])

    await attempt.loop.run(attempt.emit, nothing, steer)
    contents = [[turn.content for turn in request.turns[1:]] for request in provider.requests]
    assert contents == [[], ["", "", told], ["", "", told, "", ""]]
    kinds = [event.type for event in attempt.seen]
    assert kinds.index("tool_result") < kinds.index("steered")


async def test_nobody_joins_an_answer_that_has_no_step_left() -> None:
    async def steer() -> None:
        raise AssertionError("the answer stands")

    attempt = Attempt(Scripted(HELLO))
    await attempt.loop.run(attempt.emit, nothing, steer)
