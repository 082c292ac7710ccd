"""`POST /api/agents/{id}/test`: whether an agent's model answers."""

import asyncio
import time

import msgspec
from django.conf import settings
from django.http import HttpRequest

from agents.caller import Caller
from agents.config import AgentConfig
from agents.outbound.credentials import ProviderAccess, provider_access
from agents.versions.choosing import chosen
from core.http import Answer, read
from engine.errors import ClawError, Unavailable
from engine.http.guard import Guard
from engine.providers.base import Delta, TextDelta, ThinkingDelta
from engine.providers.registry import open_provider
from engine.request import ModelRequest, Turn
from wire.objects import versions as objects

MAX_TRIALS = 10
"""At once, and one of an organisation: each is a call of a model that somebody pays for."""
TEST_SECONDS = 20.0
MAX_TOKENS = 16
QUESTION = "Say OK."

_body = msgspec.json.Decoder(objects.ModelTrial)
_trials: set[str] = set()


async def test(request: HttpRequest, caller: Caller) -> Answer:
    """Makes one short call with the server, the credential and the model of the agent, or of a
    version or the draft. It is not counted as usage. Raises `unavailable`, and what `chosen`
    raises."""
    caller.principal.require("agents:write")
    agent = await chosen(caller, read(_body, request).agent_version)
    organization_id = caller.principal.organization_id
    if organization_id in _trials or len(_trials) >= MAX_TRIALS:
        raise Unavailable("Another model is being tried. Try again in a moment.")
    _trials.add(organization_id)
    begun = time.monotonic()
    try:
        access, problem = await _tried(agent)
    finally:
        _trials.discard(organization_id)
    outcome = objects.ModelTest(
        ok=problem is None,
        provider=access.provider if access else agent.provider,
        model=access.model if access else agent.model,
        duration_ms=round((time.monotonic() - begun) * 1000),
        error=msgspec.UNSET if problem is None else problem.message,
    )
    return Answer(outcome)


async def _tried(agent: AgentConfig) -> tuple[ProviderAccess | None, ClawError | None]:
    """The server that was asked, if there is one, and what went wrong."""
    access = None
    try:
        access = await provider_access(agent)
        async with asyncio.timeout(TEST_SECONDS):
            await _call(access, agent)
    except TimeoutError:
        late = f"The model did not answer within {TEST_SECONDS:g} seconds."
        return access, ClawError("upstream_timeout", late)
    except ClawError as problem:
        return access, problem
    return access, None


async def _call(access: ProviderAccess, agent: AgentConfig) -> None:
    """Raises ClawError, a `ProviderError` where the server failed."""
    guard = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS) if access.guarded else None
    provider = open_provider(
        access.provider, api_key=access.api_key, base_url=access.base_url, guard=guard
    )
    asked = ModelRequest(
        model=access.model,
        instructions="",
        turns=[Turn(role="user", content=QUESTION)],
        max_tokens=MAX_TOKENS,
        parameters=agent.parameters,
    )
    try:
        await provider.call(asked, _stop_at_text, idle_timeout=TEST_SECONDS)
    except _Answered:
        pass  # the rest would say nothing new
    finally:
        await provider.aclose()


class _Answered(Exception):
    """The model has begun to answer."""


def _stop_at_text(deltas: list[Delta]) -> None:
    if any(isinstance(delta, TextDelta | ThinkingDelta) for delta in deltas):
        raise _Answered
