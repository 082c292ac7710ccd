"""What a run does after its process was killed: one suite for both modes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from agents.caller import Caller
from conversations.execution.attempt import Attempt
from conversations.execution.opening import stamp
from conversations.models import Run
from core.database import database_step
from engine import events as ev
from engine.continuation import LOST
from engine.providers.base import ToolRequest
from tests.conversations.execution.asking import Desk, OneProvider, work
from tests.conversations.parts import Parts, take
from tests.engine.scripted import HELLO, Scripted

Recover = Callable[[Run, OneProvider, Desk], Awaitable[Run]]
"""Recovers a run in a process of this model and this desk; returns the row once it has ended."""


async def step(
    parts: Parts, caller: Caller, *uses: ToolRequest, results: dict[str, str], on_crash: str
) -> Run:
    """A run whose process was killed after a model call with `uses`, of which some have
    `results`."""
    caller = replace(caller, agent=replace(caller.require_agent(), on_crash=on_crash))
    run = await parts.accept(caller, "What is it?")
    claimed = await database_step(take, run)
    assert claimed is not None
    writer = parts.log.writer(stamp(run), claimed.attempt)
    attempt = Attempt(claimed, writer, await parts.transcript(run), parts.observers)
    await writer.flush()
    attempt.append(ev.Typing(status="start"))
    attempt.extend([ev.Tokens(["Let ", "me see. "], 0)])
    blocks = [{"type": "text", "text": "Let me see. "}]
    for use in uses:
        named = {"name": use.name, "arguments": use.args}
        attempt.append(ev.ToolCall(id=use.id, tool=use.name, args=use.args, **named))
        blocks.append({"type": "tool_use", "id": use.id, "name": use.name, "input": use.args})
    attempt.append(
        ev.UsageReported(
            input_tokens=7,
            output_tokens=3,
            cache_read_tokens=0,
            cache_write_tokens=0,
            reasoning_tokens=0,
            cost=0.0,
            source="provider",
        )
    )
    attempt.append(ev.Step(stop_reason="tool_use", blocks=blocks))
    for id, result in results.items():
        attempt.append(
            ev.ToolResult(id=id, tool="work", result=result, is_error=False, duration_ms=1)
        )
    await attempt.writer.flush()
    return run


def sent(pool: OneProvider) -> list[str]:
    """What the model was sent last: the results of its calls, in their order."""
    assert isinstance(pool.provider, Scripted)
    last = pool.provider.requests[-1].turns[-1]
    return [block["content"] for block in last.blocks]


class CrashContract:
    async def test_a_run_goes_on_after_its_last_step(
        self, started: Parts, recover: Recover, caller: Caller
    ) -> None:
        run = await step(
            started, caller, work(), results={"toolu_2": "worked"}, on_crash="continue"
        )
        pool, desk = OneProvider(Scripted(HELLO)), Desk()
        row = await recover(run, pool, desk)

        assert (row.status, row.message.content) == ("completed", "Let me see. Hello")
        assert (desk.done, sent(pool)) == ([], ["worked"])
        (request,) = pool.provider.requests
        assert [turn.role for turn in request.turns] == ["user", "assistant", "user"]
        assert row.usage["inputTokens"] == 7 + 9

    async def test_a_call_that_may_have_run_is_not_made_again(
        self, started: Parts, recover: Recover, caller: Caller
    ) -> None:
        uses = (work("toolu_1"), work("toolu_2"))
        run = await step(started, caller, *uses, results={"toolu_1": "one"}, on_crash="continue")
        pool, desk = OneProvider(Scripted(HELLO)), Desk()
        row = await recover(run, pool, desk)

        assert (row.status, desk.done) == ("completed", [])
        assert sent(pool) == ["one", LOST]
        (_, lost) = (await started.transcript(run)).tools
        assert (lost.result, lost.is_error) == (LOST, True)

    async def test_a_run_that_dies_in_a_tool_is_interrupted_unless_its_agent_goes_on(
        self, started: Parts, recover: Recover, caller: Caller
    ) -> None:
        run = await step(started, caller, work(), results={}, on_crash="fail")
        pool, desk = OneProvider(Scripted(HELLO)), Desk()
        row = await recover(run, pool, desk)

        assert (row.status, row.error["code"]) == ("interrupted", "run_interrupted")
        assert (pool.provider.requests, desk.done) == ([], [])
        assert row.usage["inputTokens"] == 7

    async def test_two_crashes_in_a_row_lose_no_result(
        self, started: Parts, recover: Recover, caller: Caller
    ) -> None:
        """The second attempt dies before it has written anything."""
        run = await step(started, caller, work(), results={"toolu_2": "two"}, on_crash="continue")
        await database_step(Run.objects.filter(pk=run.pk).update, attempt=2)
        pool, desk = OneProvider(Scripted(HELLO)), Desk()
        row = await recover(run, pool, desk)
        assert (row.status, row.attempt, sent(pool)) == ("completed", 3, ["two"])
