"""The configurations of destinations."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Address = Annotated[str, Meta(min_length=1, max_length=2000)]
Secret = Annotated[str, Meta(min_length=1, max_length=500)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
HeaderValue = Annotated[str, Meta(max_length=2000)]
Headers = Annotated[dict[HeaderName, HeaderValue], Meta(max_length=20)]


class RetryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How often a delivery is tried again, and after how many ms the first time; each time after
    that it is twice as long, at most a minute."""

    max_retries: Annotated[int, Meta(ge=0, le=20)] = 3
    backoff_ms: Annotated[int, Meta(ge=1, le=60_000)] = 1000


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What every configuration may have."""

    retry_policy: RetryPolicy = RetryPolicy()


class WebhookConfig(Base, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """An address that is sent each item as JSON."""

    url: Address
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Headers = {}


class AnalyticsConfig(Base, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A service that counts events. `endpoint` is another address of the provider; `url` and
    `headers` are for `custom`."""

    provider: Literal["segment", "mixpanel", "amplitude", "custom"]
    write_key: Secret | UnsetType = UNSET
    project_token: Secret | UnsetType = UNSET
    api_key: Secret | UnsetType = UNSET
    endpoint: Address | UnsetType = UNSET
    url: Address | UnsetType = UNSET
    headers: Headers = {}


class NotificationConfig(
    Base, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True
):
    """A message for people. `{{path}}` in the template is the value at that path of the item."""

    channel: Literal["slack", "discord", "teams", "webhook", "email"]
    template: Annotated[str, Meta(min_length=1, max_length=4000)]
    webhook: Address | UnsetType = UNSET
    to: Annotated[str, Meta(min_length=3, max_length=254)] | UnsetType = UNSET
    subject: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET


class DatabaseConfig(Base, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A table of the organisation. `upsert` and `update` find a row by its `conflict_fields`."""

    table: Name
    operation: Literal["insert", "upsert", "update"] = "insert"
    conflict_fields: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=10)
    ] = []


class WebhookDestination(msgspec.Struct, frozen=True, tag="webhook", forbid_unknown_fields=True):
    """See `WebhookConfig`."""

    config: WebhookConfig


class AnalyticsDestination(
    msgspec.Struct, frozen=True, tag="analytics", forbid_unknown_fields=True
):
    """See `AnalyticsConfig`."""

    config: AnalyticsConfig


class NotificationDestination(
    msgspec.Struct, frozen=True, tag="notification", forbid_unknown_fields=True
):
    """See `NotificationConfig`."""

    config: NotificationConfig


class DatabaseDestination(msgspec.Struct, frozen=True, tag="database", forbid_unknown_fields=True):
    """See `DatabaseConfig`."""

    config: DatabaseConfig


DestinationConfig = (
    WebhookDestination | AnalyticsDestination | NotificationDestination | DatabaseDestination
)
KEYS = {"segment": "write_key", "mixpanel": "project_token", "amplitude": "api_key"}
"""The field that names the account at a provider, and what it is called."""


class DestinationProblem(ValueError):
    """A destination that makes no sense. `place` leads to the part of its object that is wrong."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


def check(destination: DestinationConfig) -> None:
    """Raise `DestinationProblem` for what the types of the fields do not tell."""
    config = destination.config
    if isinstance(config, AnalyticsConfig):
        wanted = KEYS.get(config.provider, "url")
        _require(config, wanted, f"The provider {config.provider}")
    elif isinstance(config, NotificationConfig):
        wanted = "to" if config.channel == "email" else "webhook"
        _require(config, wanted, f"The channel {config.channel}")
    elif isinstance(config, DatabaseConfig) and config.operation != "insert":
        _require(config, "conflict_fields", f"The operation {config.operation}")


def addresses(destination: DestinationConfig) -> dict[str, str]:
    """The addresses to which it sends, by their places."""
    config = destination.config
    fields = ("url", "endpoint", "webhook")
    found = {f"config.{name}": getattr(config, name, UNSET) for name in fields}
    return {place: str(address) for place, address in found.items() if address is not UNSET}


def _require(config: msgspec.Struct, field: str, whose: str) -> None:
    if getattr(config, field) in (UNSET, []):
        fields = msgspec.structs.fields(config)
        encoded = next(each.encode_name for each in fields if each.name == field)
        raise DestinationProblem(f"config.{encoded}", f"{whose} needs `{encoded}`.")
