"""The objects of visitor sessions (docs/visitors.md): requests and answers."""

import msgspec

from wire.objects.management import Busy
from wire.objects.widget import WidgetSettings
from wire.parse import Moment, Name


class NewVisitorSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A visitor's request for a token. `renew` is an earlier token, which may have expired;
    `identity` is a token in which the agent's organisation names a user. Without both the visitor
    is new."""

    agent_id: Name | None = None
    renew: Name | None = None
    identity: Name | None = None


class AgentGreeting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The part of an agent that visitors see before they say anything."""

    id: str
    slug: str
    name: str
    greeting: str
    prompts: list[str]
    show_thinking: bool
    show_tools: bool
    show_usage: bool
    if_busy: Busy
    widget: WidgetSettings


class VisitorSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A visitor, and the token that is theirs until `expires_at`."""

    token: str
    visitor_id: str
    expires_at: Moment
    agent: AgentGreeting
