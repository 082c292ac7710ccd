"""What every provider promises. A test module of a provider subclasses `ProviderContract`."""

import asyncio
from time import monotonic

import pytest

from engine.errors import ProviderError
from engine.providers.base import Counted, Delta, Finished, Provider, TextDelta, ThinkingDelta
from engine.request import ModelRequest, Turn
from engine.usage import TokenCounts


def ask(text: str, **fields: object) -> ModelRequest:
    """A request with one message of the user."""
    defaults = {"model": "claude-sonnet-5-5", "instructions": "Be brief."}
    turns = [Turn(role="user", content=text)]
    return ModelRequest(**{**defaults, "turns": turns, **fields})  # type: ignore[arg-type]


def directed(keys: str, **fields: object) -> ModelRequest:
    """A request that tells the local model server (`tests.upstream`) what to answer."""
    return ask(f"Hello [[upstream {keys}]]", **fields)


async def batches(
    provider: Provider, request: ModelRequest, idle_timeout: float = 5.0
) -> list[list[Delta]]:
    """What the sink gets in one call, each time."""
    seen: list[list[Delta]] = []
    await provider.call(request, seen.append, idle_timeout=idle_timeout)
    return seen


async def collect(
    provider: Provider, request: ModelRequest, idle_timeout: float = 5.0
) -> list[Delta]:
    """All deltas of one call."""
    return [delta for batch in await batches(provider, request, idle_timeout) for delta in batch]


async def fail(
    provider: Provider, request: ModelRequest, idle_timeout: float = 5.0
) -> tuple[list[Delta], ProviderError]:
    """The deltas of a call that must fail, and its error."""
    seen: list[Delta] = []
    with pytest.raises(ProviderError) as caught:
        await provider.call(request, seen.extend, idle_timeout=idle_timeout)
    return seen, caught.value


def pieces_of(deltas: list[Delta]) -> list[str]:
    return [piece for delta in deltas if isinstance(delta, TextDelta) for piece in delta.pieces]


def text_of(deltas: list[Delta]) -> str:
    return "".join(pieces_of(deltas))


def thinking_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta))


def counts_of(deltas: list[Delta]) -> TokenCounts:
    """The last counts: each replaces the one before."""
    return [delta.counts for delta in deltas if isinstance(delta, Counted)][-1]


class ProviderContract:
    """Subclasses give the fixture `provider`, and requests for the answers named here."""

    short: ModelRequest
    """Answers with three words or more, at once."""
    thoughtful: ModelRequest
    """Thinks before it answers."""
    slow: ModelRequest
    """At least a second from the first word to the last."""
    failing: ModelRequest
    """Fails after some text."""

    async def test_it_works(self, provider: Provider) -> None:
        deltas = await collect(provider, self.short)
        assert text_of(deltas).strip()
        assert len(pieces_of(deltas)) >= 3

    async def test_every_batch_holds_something(self, provider: Provider) -> None:
        assert all(await batches(provider, self.short))

    async def test_finished_comes_last_and_once(self, provider: Provider) -> None:
        deltas = await collect(provider, self.short)
        assert [type(delta) for delta in deltas].count(Finished) == 1
        assert isinstance(deltas[-1], Finished)
        assert deltas[-1].stop_reason == "end_turn"

    async def test_both_counts_are_known_at_the_end(self, provider: Provider) -> None:
        counts = counts_of(await collect(provider, self.short))
        assert counts.input_tokens and counts.output_tokens

    async def test_thinking_comes_before_the_text(self, provider: Provider) -> None:
        deltas = await collect(provider, self.thoughtful)
        kinds = [type(d) for d in deltas if isinstance(d, TextDelta | ThinkingDelta)]
        assert kinds == sorted(kinds, key=lambda kind: kind is TextDelta)
        assert thinking_of(deltas) and text_of(deltas)

    async def test_a_failure_is_a_provider_error_after_the_text_so_far(
        self, provider: Provider
    ) -> None:
        deltas, error = await fail(provider, self.failing)
        assert text_of(deltas)
        assert not any(isinstance(delta, Finished) for delta in deltas)
        assert error.code.startswith("upstream_")

    async def test_cancelling_the_task_ends_it_at_once(self, provider: Provider) -> None:
        started, seen = asyncio.Event(), []

        def watch(deltas: list[Delta]) -> None:
            seen.append(deltas)
            if text_of(deltas):
                started.set()

        task = asyncio.create_task(provider.call(self.slow, watch, idle_timeout=5))
        await asyncio.wait_for(started.wait(), 5)
        before, count = monotonic(), len(seen)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert monotonic() - before < 2
        assert len(seen) == count

    async def test_what_the_sink_raises_ends_the_call_as_it_is(self, provider: Provider) -> None:
        seen: list[Delta] = []

        def refuse(deltas: list[Delta]) -> None:
            seen.extend(deltas)
            if text_of(deltas):
                raise LookupError("full")

        with pytest.raises(LookupError, match="full"):
            await provider.call(self.slow, refuse, idle_timeout=5)
        assert len(pieces_of(seen)) == 1

    async def test_many_calls_run_at_once(self, provider: Provider) -> None:
        answers = await asyncio.gather(*(collect(provider, self.short) for _ in range(8)))
        assert len({text_of(deltas) for deltas in answers}) == 1

    async def test_closing_twice_does_no_harm(self, provider: Provider) -> None:
        await collect(provider, self.short)
        await provider.aclose()
        await provider.aclose()
