"""Callers as tests want them, without a credential."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from agents.caller import Caller
from agents.config import AgentConfig
from agents.models import Agent, ApiKey
from agents.principal import OF_KEYS, Kind, Principal
from agents.validators import scopes_with


def holder(key: ApiKey, scopes: Collection[str] | None = None) -> Principal:
    """The holder of a key, with its scopes or with these."""
    return Principal(
        kind=Kind.KEY,
        id=key.id,
        organization_id=key.organization_id,
        owner=OF_KEYS,
        scopes=scopes_with(key.scopes if scopes is None else scopes),
    )


def caller_of(key: ApiKey, agent: Agent | None = None) -> Caller:
    """The holder of a key, who asks this agent or none in particular."""
    return Caller(principal=holder(key), agent=AgentConfig.of(agent) if agent else None)


def having(caller: Caller, **fields: Any) -> Caller:
    """The caller with these fields of its principal changed."""
    return replace(caller, principal=replace(caller.principal, **fields))


def allowed(caller: Caller, **limits: Any) -> Caller:
    """The caller with these limits of its allowance changed."""
    return having(caller, allowance=replace(caller.principal.allowance, **limits))


def visitor_of(caller: Caller, owner: str) -> Caller:
    """A visitor of the caller's agent, who owns these conversations."""
    agent = caller.require_agent()
    return having(caller, kind=Kind.VISITOR, id=f"{agent.id}:{owner}", owner=owner)
