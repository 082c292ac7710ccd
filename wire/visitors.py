"""The objects of visitor sessions (docs/visitors.md), both ways."""

from datetime import datetime

import msgspec


class NewVisitorSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`renew`: our earlier token, which may have ended; `identity`: a token in which the agent's
    own organisation names a user. Without both a new visitor has come."""

    agent_id: str | None = None
    renew: str | None = None
    identity: str | None = None


class AgentGreeting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What visitors are shown of an agent before they say anything."""

    id: str
    slug: str
    name: str
    greeting: str
    prompts: list[str]
    show_thinking: bool
    show_tools: bool


class VisitorSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who the visitor is, and the token that says so until `expires_at`."""

    token: str
    visitor_id: str
    expires_at: datetime
    agent: AgentGreeting
