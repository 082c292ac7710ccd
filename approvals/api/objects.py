"""The objects of standing approvals in the REST API."""

from typing import Literal

import msgspec

from wire.parse import Moment


class Giver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The one that gave an approval. Visitors get no `id` of others."""

    kind: Literal["key", "member", "visitor"]
    id: str | None = None


class StandingApproval(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """An approval of all later calls of a tool of an agent, in the conversation or in all, while
    the tool's description and schema have this digest."""

    id: str
    agent_id: str
    tool: str
    tool_digest: str
    by: Giver
    created_at: Moment
    conversation_id: str | None = None


class StandingApprovalPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Standing approvals, the newest first; `next_cursor` is for `before`."""

    standing_approvals: list[StandingApproval]
    next_cursor: str | None
