"""The objects of agents, keys and usage in the REST API (docs/protocol.md), both ways."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

DAY = 24 * 60 * 60
MOST_OVERLAP = 30 * DAY

Moment = Annotated[datetime, Meta(tz=True)]
Names = Annotated[list[str], Meta(max_length=100)]


def _choice(*values: str) -> Meta:
    """For the schema alone: the model knows what may be chosen, and says what was wrong."""
    return Meta(extra_json_schema={"enum": list(values)})


Provider = Annotated[str, _choice("auto", "anthropic", "openai", "demo")]
Busy = Annotated[str, _choice("queue", "reject", "interrupt")]
Disconnect = Annotated[str, _choice("continue", "cancel")]
Crash = Annotated[str, _choice("fail", "continue")]


class AgentFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be said of an agent; what is absent stays as it is."""

    slug: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    provider: Provider | UnsetType = UNSET
    model: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    credential_id: str | UnsetType | None = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    context_tokens: int | UnsetType = UNSET
    thinking: bool | UnsetType = UNSET
    show_thinking: bool | UnsetType = UNSET
    show_tools: bool | UnsetType = UNSET
    if_busy: Busy | UnsetType = UNSET
    on_disconnect: Disconnect | UnsetType = UNSET
    on_crash: Crash | UnsetType = UNSET
    allowed_origins: Names | UnsetType = UNSET
    public_page: bool | UnsetType = UNSET
    greeting: str | UnsetType = UNSET
    prompts: Names | UnsetType = UNSET
    visitor_messages_per_minute: int | UnsetType = UNSET
    visitor_messages_per_day: int | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """Only what was said."""
        fields = msgspec.structs.asdict(self)
        return {name: value for name, value in fields.items() if value is not UNSET}


class Agent(AgentFields, frozen=True, kw_only=True, rename="camel"):
    """An agent, with all of its fields."""

    id: str
    created_at: datetime
    updated_at: datetime


class AgentPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Agents, the newest first; `next_cursor` is for `before`."""

    agents: list[Agent]
    next_cursor: str | None


class IdentitySecret(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an organisation signs with; `identity_secret` is only in the answer that made it."""

    agent_id: str
    identity_secret: str | UnsetType = UNSET


class NewKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a key is to be. Limits that are absent are those of the key that makes it."""

    name: str = "API"
    scopes: Names | None = None
    agents: Names = []
    every_agent: bool = False
    allowed_origins: Names = []
    expires_at: Moment | UnsetType | None = UNSET
    requests_per_minute: int | UnsetType | None = UNSET
    monthly_budget: Decimal | UnsetType | None = UNSET


class Rotation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """For how long the old key stays valid beside the new one."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=MOST_OVERLAP)] = DAY


class Key(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key: nothing in it opens anything, but for `api_key` in the answer that made it."""

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
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    rotated_from: str | UnsetType = UNSET
    api_key: str | UnsetType = UNSET


class KeyPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Keys, the newest first; `next_cursor` is for `before`."""

    keys: list[Key]
    next_cursor: str | None


class Sums(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What some runs have used. `cost` (USD) is what is known of it; `unpriced_runs` have ended
    without a known price."""

    runs: int
    statuses: dict[str, int]
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: float
    unpriced_runs: int


class Group(Sums, frozen=True, kw_only=True, rename="camel"):
    """The runs of one day, agent, key or model."""

    day: date | UnsetType = UNSET
    agent_id: str | UnsetType = UNSET
    agent_name: str | UnsetType = UNSET
    key_id: str | UnsetType | None = UNSET
    key_name: str | UnsetType | None = UNSET
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class UsageReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an organisation's runs have used, from one day to another, both included."""

    from_: date = msgspec.field(name="from")
    to: date
    group_by: str
    groups: list[Group]
    total: Sums
