"""The objects of alert rules and alerts in the REST API."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.feed import FeedAlert
from wire.parse import Moment, Name

Metric: TypeAlias = Literal[
    "error_rate",
    "provider_errors",
    "latency_p95",
    "ttft_p95",
    "runs",
    "tokens",
    "cost",
    "visitor_cost",
    "budget",
    "queue_age",
]
Comparison: TypeAlias = Literal["above", "below"]
Severity: TypeAlias = Literal["info", "warning", "critical"]
Title: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
Threshold: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]
Window: TypeAlias = Annotated[int, Meta(ge=5, le=86_400)]
Duration: TypeAlias = Annotated[int, Meta(ge=0, le=86_400)]
Names: TypeAlias = Annotated[list[Name], Meta(max_length=100)]
Addresses: TypeAlias = Annotated[list[Name], Meta(max_length=10)]


class Notify(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The mail addresses and webhooks that are told of each alert."""

    emails: Addresses = []
    webhook_ids: Addresses = []


class NewAlertRule(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A new alert rule. No `agent_ids` (ids or slugs) means every agent. Times are in ms, costs in
    US dollars, rates from 0 to 1. An alert resolves at `resolve_threshold`, or at the threshold."""

    name: Title
    metric: Metric
    threshold: Threshold
    agent_ids: Names = []
    comparison: Comparison = "above"
    resolve_threshold: Threshold | None = None
    window_seconds: Window = 300
    for_seconds: Duration = 0
    severity: Severity = "warning"
    notify: Notify = Notify()
    enabled: bool = True


class AlertRuleFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of an alert rule that can be changed."""

    name: Title | UnsetType = UNSET
    metric: Metric | UnsetType = UNSET
    threshold: Threshold | UnsetType = UNSET
    agent_ids: Names | UnsetType = UNSET
    comparison: Comparison | UnsetType = UNSET
    resolve_threshold: Threshold | UnsetType | None = UNSET
    window_seconds: Window | UnsetType = UNSET
    for_seconds: Duration | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    notify: Notify | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class AlertRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert rule. `unit` is that of its thresholds."""

    id: str
    name: str
    metric: str
    unit: str
    agent_ids: list[str]
    comparison: str
    threshold: float
    resolve_threshold: float | None
    window_seconds: int
    for_seconds: int
    severity: str
    notify: Notify
    enabled: bool
    created_at: Moment


class AlertRulePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Alert rules, the newest first; `next_cursor` is for `before`."""

    rules: list[AlertRule]
    next_cursor: str | None


class AlertPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Alerts, the newest first; `next_cursor` is for `before`."""

    alerts: list[FeedAlert]
    next_cursor: str | None
