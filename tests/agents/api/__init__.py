"""Views without a server: they are synchronous functions of a request and a caller."""

import json
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory

from agents.caller import AgentConfig, Caller
from agents.models import Agent, ApiKey


def request(body: Any = None, *, query: str = "", **headers: str) -> HttpRequest:
    """A request with this JSON body."""
    data = b"" if body is None else json.dumps(body).encode()
    return RequestFactory().post(
        f"/?{query}", data, content_type="application/json", headers=headers
    )


def caller(key: ApiKey, agent: Agent | None = None) -> Caller:
    """Who presents `key`, of this agent."""
    return Caller(
        organization_id=key.organization_id,
        key_id=key.id,
        scopes=frozenset(key.scopes),
        agent=AgentConfig.of(agent) if agent else None,
    )
