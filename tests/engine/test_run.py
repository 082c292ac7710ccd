"""`engine.run`: the agent loop, with a provider that plays scripts and a small real toolbox."""

import ast
import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from engine import events as ev
from engine.errors import ProviderError, TooManySteps
from engine.providers.base import (
    Counted,
    Delta,
    Finished,
    Sink,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolUse,
)
from engine.request import Limits, ModelRequest, Turn, estimate_prompt
from engine.run import Answer
from engine.tools.base import NoTools, Toolbox, ToolOutcome
from engine.usage import TokenCounts

REQUEST = ModelRequest(
    model="claude-sonnet-5-5",
    instructions="Be brief.",
    turns=[Turn(role="user", content="What is 2+3?")],
)
HELLO: list[list[Delta]] = [
    [Counted(TokenCounts(input_tokens=9))],
    [TextDelta(["Hel"]), TextDelta(["lo"])],
    [Counted(TokenCounts(input_tokens=9, output_tokens=2)), Finished("end_turn", [])],
]
FOREVER = asyncio.Event  # a step of a script that never ends


class Scripted:
    """A provider: each call plays the next script; an exception in it is raised, an event awaited.

    It keeps what it was asked, and counts the calls that are open."""

    name = price_list = "anthropic"

    def __init__(self, *scripts: list[Any]) -> None:
        self.scripts = list(scripts)
        self.requests: list[ModelRequest] = []
        self.open = 0
        self.asked = asyncio.Event()

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        self.requests.append(request)
        self.open += 1
        self.asked.set()
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    sink(step)
        finally:
            self.open -= 1

    async def aclose(self) -> None:
        """Nothing is open."""


class Calculator:
    """A toolbox with one tool."""

    async def call(self, name: str, args: dict[str, Any]) -> ToolOutcome:
        try:
            return ToolOutcome({"sum": sum(ast.literal_eval(str(args["numbers"])))}, False)
        except (KeyError, TypeError) as problem:
            return ToolOutcome(f"cannot add: {problem}", True)


def calls(*uses: ToolUse, text: str = "", stop: str = "tool_use") -> list[list[Delta]]:
    """A script that asks for tools."""
    blocks: list[dict[str, Any]] = [
        {"type": "tool_use", "id": use.id, "name": use.name, "input": use.args} for use in uses
    ]
    counts = TokenCounts(input_tokens=10, output_tokens=5)
    said: list[Delta] = [TextDelta([text])] if text else []
    return [[*said, *uses, Counted(counts), Finished(stop, blocks)]]


def add(*numbers: object, id: str = "toolu_1") -> ToolUse:
    return ToolUse(id, "add", {"numbers": list(numbers)})


def answer_of(provider: Scripted, tools: Toolbox | None = None, model_calls: int = 10) -> Answer:
    return Answer(REQUEST, provider, tools or NoTools(), Limits(model_calls=model_calls))


async def collect(answer: Answer, seen: list[ev.Event] | None = None) -> list[ev.Event]:
    """Every event, tokens one by one; also what came before an error, in `seen`."""
    seen = [] if seen is None else seen
    await answer.run(lambda events: seen.extend(one_by_one(events)), nothing)
    return seen


def one_by_one(events: list[ev.NewEvent]) -> Iterator[ev.Event]:
    """As they come out of a log."""
    for event in events:
        if isinstance(event, ev.Tokens):
            for index, content in enumerate(event.contents, event.index):
                yield ev.Token(content=content, index=index)
        else:
            yield event


async def nothing() -> None:
    """What is awaited after a step where that does not matter."""


def of(kind: type[ev.Event], events: list[ev.Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def test_it_works() -> None:
    provider = Scripted(HELLO)
    events = await collect(answer_of(provider))
    assert events[:2] == [ev.Token(content="Hel", index=0), ev.Token(content="lo", index=1)]
    usage, step = events[2:]
    assert isinstance(usage, ev.UsageReported) and isinstance(step, ev.Step)
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (9, 2, "provider")
    assert usage.cost is not None and usage.cost > 0
    assert step.stop_reason == "end_turn"
    assert provider.requests == [REQUEST]


async def test_what_arrived_together_is_given_together() -> None:
    batches: list[list[ev.NewEvent]] = []
    await answer_of(Scripted(HELLO)).run(batches.append, nothing)
    assert [len(batch) for batch in batches] == [2, 2]


async def test_after_each_step_somebody_may_wait() -> None:
    seen: list[ev.Event] = []
    at: list[str] = []

    async def at_step() -> None:
        at.append(seen[-1].type)

    provider = Scripted(calls(add(2, 3)), HELLO)
    await answer_of(provider, Calculator()).run(seen.extend, at_step)
    assert at == ["step", "step"]


async def test_a_tool_is_called_and_its_result_sent_back() -> None:
    provider = Scripted(calls(add(2, 3), text="Let me see. "), HELLO)
    events = await collect(answer_of(provider, Calculator()))

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
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": '{"sum": 5}'}
    ]


async def test_indices_go_on_over_the_calls_of_a_run() -> None:
    thinking: list[Delta] = [ThinkingDelta("hm")]
    provider = Scripted(
        [thinking, *calls(add(1), text="a")], [thinking, *calls(add(2), text="b")], HELLO
    )
    events = await collect(answer_of(provider, Calculator()))
    assert [token.index for token in of(ev.Token, events)] == [0, 1, 2, 3]
    assert [thought.index for thought in of(ev.Thinking, events)] == [0, 1]


async def test_parallel_calls_are_answered_in_one_turn_in_their_order() -> None:
    provider = Scripted(calls(add(1), add(2, id="toolu_2")), HELLO)
    events = await collect(answer_of(provider, Calculator()))
    assert [result.id for result in of(ev.ToolResult, events)] == ["toolu_1", "toolu_2"]
    blocks = provider.requests[1].turns[-1].blocks
    assert [block["tool_use_id"] for block in blocks] == ["toolu_1", "toolu_2"]


@pytest.mark.parametrize("tools", [Calculator(), NoTools()])
async def test_a_tool_that_fails_is_a_result_that_the_model_sees(tools: Toolbox) -> None:
    provider = Scripted(calls(ToolUse("toolu_1", "other", {})), HELLO)
    events = await collect(answer_of(provider, tools))
    assert of(ev.ToolResult, events)[0].is_error
    assert provider.requests[1].turns[-1].blocks[0]["is_error"] is True


async def test_a_paused_turn_is_sent_back_as_it_is() -> None:
    blocks = [{"type": "server_tool_use", "id": "srv_1"}]
    pause: list[Delta] = [TextDelta(["So "]), Finished("pause_turn", blocks)]
    provider = Scripted([pause], HELLO)
    events = await collect(answer_of(provider))
    assert provider.requests[1].turns == [
        *REQUEST.turns,
        Turn(role="assistant", content="", blocks=blocks),
    ]
    assert "".join(token.content for token in of(ev.Token, events)) == "So Hello"
    assert [step.stop_reason for step in of(ev.Step, events)] == ["pause_turn", "end_turn"]


async def test_calls_of_a_turn_that_was_cut_short_are_not_carried_out() -> None:
    provider = Scripted(calls(add(1), stop="max_tokens"))
    events = await collect(answer_of(provider, Calculator()))
    assert not of(ev.ToolResult, events)
    assert events[-1] == ev.Step(stop_reason="max_tokens", blocks=of(ev.Step, events)[0].blocks)


async def test_p14_the_loop_is_bounded() -> None:
    provider = Scripted(*(calls(add(n)) for n in range(5)))
    answer, seen = answer_of(provider, Calculator(), model_calls=3), []
    with pytest.raises(TooManySteps) as raised:
        await collect(answer, seen)
    assert len(provider.requests) == len(of(ev.UsageReported, seen)) == 3
    assert answer.cut_usage(raised.value) is None  # every call was settled


async def test_fragments_of_a_call_are_passed_on() -> None:
    provider = Scripted([[ToolDelta(0, '{"numbers"', "toolu_1", "add")], *calls(add(1))], HELLO)
    events = await collect(answer_of(provider, Calculator()))
    assert events[0] == ev.ToolCallDelta(index=0, arguments='{"numbers"', id="toolu_1", name="add")


async def test_nul_is_replaced_wherever_it_would_be_stored() -> None:
    use = ToolUse("toolu_1", "a\0dd", {"numbers\0": ["\0", 1]})
    script = calls(use)
    script[0].insert(0, ThinkingDelta("h\0m"))
    provider = Scripted(script, [[TextDelta(["a\0b"]), Finished("st\0p", [{"text": "\0"}])]])
    events = await collect(answer_of(provider, Calculator()))
    assert of(ev.Token, events)[0].content == "a\ufffdb"
    assert of(ev.ToolCall, events)[0].args == {"numbers\ufffd": ["\ufffd", 1]}
    assert "\0" not in repr(events) and "\\x00" not in repr(events)


# --- what is cut


async def cut(provider: Scripted, error: type[BaseException]) -> tuple[Answer, BaseException]:
    """An answer that an error ended, and the error."""
    answer = answer_of(provider)
    with pytest.raises(error) as raised:
        await collect(answer)
    assert provider.open == 0
    return answer, raised.value


@pytest.mark.parametrize("code", ["upstream_error", "upstream_overloaded", "upstream_truncated"])
async def test_a_call_that_was_refused_costs_nothing(code: str) -> None:
    refusal = ProviderError(code, "No.", retryable=True)
    assert Answer.cut_usage(*await cut(Scripted([refusal]), ProviderError)) is None


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
    provider, seen = Scripted(calls(add(1)), [[TextDelta(["abcd"])], failure]), []
    answer = answer_of(provider, Calculator())
    with pytest.raises(ProviderError) as raised:
        await collect(answer, seen)
    usage = answer.cut_usage(raised.value)
    assert len(of(ev.UsageReported, seen)) == 1
    assert usage is not None and usage.output_tokens == 1


async def test_a_provider_that_ends_without_finished_is_a_defect_and_is_paid() -> None:
    answer, error = await cut(Scripted([[TextDelta(["abcd"])]]), RuntimeError)
    assert answer.cut_usage(error) is not None


async def test_p10_cancelling_the_task_ends_the_call_wherever_it_is() -> None:
    for script in ([FOREVER()], [*HELLO[:2], FOREVER()]):
        provider = Scripted(script)
        answer = answer_of(provider)
        task = asyncio.create_task(collect(answer))
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
    answer = answer_of(provider)
    with pytest.raises(LookupError) as raised:
        await answer.run(refuse, nothing)
    assert provider.open == 0
    assert answer.cut_usage(raised.value) is not None


async def test_cancelling_during_a_tool_reports_no_call_twice() -> None:
    class Slow(Calculator):
        async def call(self, name: str, args: dict[str, Any]) -> ToolOutcome:
            began.set()
            await FOREVER().wait()
            raise AssertionError("never")

    began, seen = asyncio.Event(), []
    answer = answer_of(Scripted(calls(add(1))), Slow())
    task = asyncio.create_task(collect(answer, seen))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await task
    assert len(of(ev.UsageReported, seen)) == 1
    assert answer.cut_usage(raised.value) is None
