"""The caller of a foreign protocol, and the agent as this caller asks it."""

from collections.abc import Iterable
from dataclasses import replace

from django.http import HttpRequest

from agents.caller import Caller
from agents.config import AgentConfig
from agents.public.addresses import host_slug
from conversations.transports.http import caller_of
from engine.errors import ClawError, invalid


async def caller_for(request: HttpRequest, slug: str | None, model: str | None) -> Caller:
    """The caller, and the agent that the address or `model` names by its slug or id. Below an
    agent's address `model` may be anything that names no other agent.

    Raises what `caller_of` raises, `forbidden` without the scope `chat`, and `invalid_message`
    where no agent is named."""
    try:
        caller = await caller_of(request, slug, model)
    except ClawError as error:
        if error.code != "agent_not_found" or model is None:
            raise
        caller = await _without_model(request, slug, model)
    caller.principal.require("chat")
    if caller.agent is None:
        raise invalid("model", "Name an agent: your key opens several.")
    return caller


async def _without_model(request: HttpRequest, slug: str | None, model: str) -> Caller:
    caller = await caller_of(request, slug)
    if slug is None and host_slug(request.get_host()) is None:
        caller.principal.require("chat")
        details = {"field": "model"}
        raise ClawError("agent_not_found", f"There is no agent “{model}”.", details=details)
    return caller


def instructed(caller: Caller, texts: Iterable[str]) -> Caller:
    """The same caller, with texts behind the agent's instructions. Raises `forbidden` for a
    visitor."""
    added = [text for text in texts if text.strip()]
    if not added:
        return caller
    if not caller.principal.trusted:
        raise ClawError("forbidden", "Instructions need an API key.")
    agent = caller.require_agent()
    whole = "\n\n".join(filter(None, (agent.instructions, *added)))
    return _asking(caller, replace(agent, instructions=whole))


def limited(caller: Caller, tokens: int | None) -> Caller:
    """The same caller, for answers of at most so many tokens, if the agent does not allow less."""
    if tokens is None:
        return caller
    agent = caller.require_agent()
    return _asking(caller, replace(agent, max_tokens=min(agent.max_tokens, tokens)))


def _asking(caller: Caller, agent: AgentConfig) -> Caller:
    return replace(caller, agent=agent)
