"""The objects of agents, keys and secrets in the REST API: requests and answers."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.objects.configuration import Configuration, Names, choice
from wire.parse import Moment, Name

DAY = 24 * 60 * 60
MAX_OVERLAP = 30 * DAY

Busy = Annotated[str, choice("queue", "reject", "interrupt", "steer")]
Disconnect = Annotated[str, choice("continue", "cancel")]
Crash = Annotated[str, choice("fail", "continue")]


class AgentFields(Configuration, frozen=True, kw_only=True, rename="camel"):
    """The fields of an agent that a request may set. Absent fields stay as they are.
    `visitor_version` is the version that visitors have; null: the published one."""

    slug: Name | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    show_thinking: bool | UnsetType = UNSET
    show_tools: bool | UnsetType = UNSET
    show_usage: bool | UnsetType = UNSET
    if_busy: Busy | UnsetType = UNSET
    on_disconnect: Disconnect | UnsetType = UNSET
    on_crash: Crash | UnsetType = UNSET
    allowed_origins: Names | UnsetType = UNSET
    public_page: bool | UnsetType = UNSET
    visitor_messages_per_minute: int | UnsetType = UNSET
    visitor_messages_per_day: int | UnsetType = UNSET
    visitor_version: int | UnsetType | None = UNSET


class Agent(AgentFields, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=False):
    """An agent, with all of its fields. `version` is the number of the published one;
    `archived_at` is null unless it is archived."""

    id: str
    version: int
    archived_at: Moment | None
    created_at: Moment
    updated_at: Moment


class Copy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The name and the slug of a copy of an agent; absent ones are made from the agent's name."""

    name: Name | UnsetType = UNSET
    slug: Name = ""


class AgentPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Agents, the newest first; `next_cursor` is for `before`."""

    agents: list[Agent]
    next_cursor: str | None


class IdentitySecret(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The secret that an organisation signs with. Only the answer that created it has
    `identity_secret`."""

    agent_id: str
    identity_secret: str | UnsetType = UNSET


class NewKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A new key. Absent limits are those of the key that creates it. `agent_version` pins a key of
    one agent to a version of it."""

    name: Name = "API"
    scopes: Names | None = None
    agents: Names = []
    every_agent: bool = False
    allowed_origins: Names = []
    expires_at: Moment | UnsetType | None = UNSET
    requests_per_minute: int | UnsetType | None = UNSET
    monthly_budget: Decimal | UnsetType | None = UNSET
    agent_version: int | UnsetType | None = UNSET


class Rotation(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The time that the old key stays valid beside the new one."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=MAX_OVERLAP)] = DAY


class Key(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key. Only the answer that created it has the secret itself, as `api_key`."""

    id: str
    name: str
    prefix: str
    last_four: str
    scopes: list[str]
    every_agent: bool
    agents: list[str]
    allowed_origins: list[str]
    requests_per_minute: int | None
    monthly_budget: float | None
    agent_version: int | None
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None
    created_at: Moment
    rotated_from: str | UnsetType = UNSET
    api_key: str | UnsetType = UNSET


class KeyPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Keys, the newest first; `next_cursor` is for `before`."""

    keys: list[Key]
    next_cursor: str | None


class NewSecret(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Something that an organisation entrusts to us. The value is never shown again."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    value: Annotated[str, Meta(min_length=1, max_length=8192)]


class Secret(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A secret without its value."""

    id: str
    name: str
    created_at: Moment


class SecretPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Secrets, the newest first; `next_cursor` is for `before`."""

    secrets: list[Secret]
    next_cursor: str | None


class McpServerFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of an MCP server that a request may set. Headers are merged by their names; null
    takes one away. `${secrets.NAME}` in a value or in the address stands for a secret."""

    name: Name | UnsetType = UNSET
    url: str | UnsetType = UNSET
    stdio: str | UnsetType = UNSET
    headers: Annotated[dict[str, str | None], Meta(max_length=20)] | UnsetType = UNSET
    timeout_ms: int | UnsetType = UNSET


class McpServer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An MCP server. `headers` has the names of its headers, and null for every value."""

    id: str
    name: str
    headers: dict[str, None]
    timeout_ms: int
    created_at: Moment
    updated_at: Moment
    url: str = ""
    stdio: str = ""


class McpServerPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """MCP servers, the newest first; `next_cursor` is for `before`."""

    mcp_servers: list[McpServer]
    next_cursor: str | None


class McpTool(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tool as its server describes it."""

    name: str
    description: str
    input_schema: dict[str, Any]
    annotations: dict[str, Any]


class McpTest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The name and the tools of a server. `error` says why there are none."""

    ok: bool
    protocol_version: str | None
    tools: list[McpTool]
    error: str | UnsetType = UNSET


class McpCall(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A call of a tool, to try it."""

    tool: Name
    args: dict[str, Any] = {}


class McpOutcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of a call. With `is_error` it says what went wrong."""

    result: Any
    is_error: bool
    duration_ms: int
