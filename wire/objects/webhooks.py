"""The objects of webhooks in the REST API."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.feed import TYPES
from wire.parse import Moment

CONTACT = "contact:message"
"""A visitor has written to the people behind an agent; the feed has it not."""
EVENTS = TYPES - {"run:progress"} | {CONTACT}
"""The types that a webhook may ask for; progress is kept nowhere."""
EventType = Annotated[str, Meta(extra_json_schema={"enum": sorted(EVENTS)})]
EventTypes = Annotated[list[EventType], Meta(min_length=1, max_length=50)]
Address = Annotated[str, Meta(min_length=1, max_length=2000)]
MAX_OVERLAP = 7 * 86400


class NewWebhook(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A new webhook: where it is, and the types of the events that it is sent."""

    url: Address
    events: EventTypes


class WebhookFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of a webhook that can be changed."""

    url: Address | UnsetType = UNSET
    events: EventTypes | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class WebhookRotation(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The time for which the old secret signs beside the new one."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=MAX_OVERLAP)] = 86400


class Webhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A webhook. Only the answer that created or rotated it has its `secret`. Every attempt has
    failed since `failing_since`."""

    id: str
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None
    failing_since: Moment | None
    created_at: Moment
    secret: str | UnsetType = UNSET


class WebhookPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Webhooks, the newest first; `next_cursor` is for `before`."""

    webhooks: list[Webhook]
    next_cursor: str | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One event for one webhook. `response_status`, `error` and `duration_ms` are those of the last
    attempt; `payload` is what is sent."""

    id: str
    type: str
    status: Annotated[str, Meta(extra_json_schema={"enum": ["pending", "delivered", "failed"]})]
    attempts: int
    next_attempt_at: Moment | None
    last_attempt_at: Moment | None
    response_status: int | None
    error: str | None
    duration_ms: int | None
    payload: dict[str, Any]
    created_at: Moment


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Deliveries, the newest first; `next_cursor` is for `before`."""

    deliveries: list[Delivery]
    next_cursor: str | None
