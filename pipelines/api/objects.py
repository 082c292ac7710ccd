"""The objects of `/api/streaming`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipelines.destinations.configs import DestinationConfig
from pipelines.flow.metrics import Latency
from pipelines.graph.stages import Stages
from pipelines.sources.configs import SourceConfig
from wire.parse import Moment

MAX_DESTINATIONS = 5
MAX_ITEMS = 1000
"""Of one request."""
MAX_ITEM_BYTES = 64 * 1024
Name = Annotated[str, Meta(min_length=1, max_length=200)]
OnError = Literal["failures", "block", "drop"]
Destinations = Annotated[list[DestinationConfig], Meta(min_length=1, max_length=MAX_DESTINATIONS)]
StatusName = Literal["created", "running", "paused", "stopped", "failed"]
HealthName = Literal["healthy", "degraded", "unhealthy", "stopped"]
ItemData = dict[str, Any]
Items = Annotated[list[ItemData], Meta(min_length=1, max_length=MAX_ITEMS)]


class PipelineFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of a pipeline that can be changed. It has either a `destination` or several
    `destinations`."""

    name: Name | UnsetType = UNSET
    source: SourceConfig | UnsetType = UNSET
    transforms: Stages | UnsetType = UNSET
    destination: DestinationConfig | UnsetType = UNSET
    destinations: Destinations | UnsetType = UNSET
    on_error: OnError | UnsetType = UNSET


class NewPipeline(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A new pipeline. `from` is `now`, `beginning` (of what is kept), or a cursor of the feed."""

    name: Name
    source: SourceConfig
    transforms: Stages = []
    destination: DestinationConfig | UnsetType = UNSET
    destinations: Destinations | UnsetType = UNSET
    on_error: OnError = "failures"
    from_: Annotated[str, Meta(min_length=1, max_length=100)] = msgspec.field(
        default="now", name="from"
    )


class Pipeline(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A pipeline. `version` counts its edits. While it is `stopping`, what it holds is delivered.
    `ingest_url` takes items for the source `webhook`; readers see it without its secret."""

    id: str
    name: str
    status: StatusName
    stopping: bool
    version: int
    source: dict[str, Any]
    transforms: list[dict[str, Any]]
    destinations: list[dict[str, Any]]
    destination: dict[str, Any] | UnsetType = UNSET
    on_error: OnError
    from_: str = msgspec.field(name="from")
    ingest_url: str | UnsetType = UNSET
    last_error: str | None
    last_error_at: Moment | None
    created_at: Moment
    started_at: Moment | None


class PipelinePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Pipelines, the newest first; `next_cursor` is for `before`."""

    pipelines: list[Pipeline]
    next_cursor: str | None


class OneItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item: any JSON object."""

    item: ItemData


class SomeItems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items, in their order."""

    items: Items


class AcceptedItems(msgspec.Struct, frozen=True):
    """How many items are stored now; they will be delivered."""

    accepted: int


class StageResult(msgspec.Struct, frozen=True):
    """What one stage has made."""

    type: str
    items: list[ItemData]


class Unprocessed(msgspec.Struct, frozen=True):
    """An item that the stage of this number cannot take."""

    stage: int
    item: ItemData
    reason: str


class TestResult(msgspec.Struct, frozen=True):
    """What the stages make of some items, if no more come. Nothing is delivered."""

    stages: list[StageResult]
    output: list[ItemData]
    failed: list[Unprocessed]
    late: int
    filtered: int


class Lag(msgspec.Struct, frozen=True):
    """Items that were put in and wait to be read, and the age of the oldest one in seconds."""

    items: int
    seconds: float


class Metrics(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The numbers of a pipeline. At any moment `received` is the sum of `delivered`, `filtered`,
    `failed`, `late` and `in_flight`; `items_processed` is what is no longer in flight."""

    items_processed: int
    items_failed: int
    items_filtered: int
    items_late: int
    received: int
    delivered: int
    filtered: int
    failed: int
    late: int
    in_flight: int
    throughput: float
    latency: Latency
    backpressure: float
    lag: Lag
    last_checkpoint_at: Moment | None


class Health(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a pipeline does what it should, and why not."""

    status: HealthName
    reasons: list[str]
    last_error: str | None
    last_error_at: Moment | None


class Stats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All pipelines of the organisation together."""

    pipelines: int
    by_status: dict[str, int]
    items_processed: int
    items_failed: int
    throughput: float


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A moment from which the pipeline can go on. The `latest` one is replaced again and again."""

    id: str
    latest: bool
    version: int
    created_at: Moment


class CheckpointPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Checkpoints, the newest first; `next_cursor` is for `before`."""

    checkpoints: list[Checkpoint]
    next_cursor: str | None


class Restoration(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The checkpoint from which the pipeline shall go on."""

    checkpoint_id: str


class Failure(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An item that the `stage` or `destination` of this number did not take, or that was late.
    `retrying`: it waits to be tried again."""

    id: str
    item_id: str
    item: ItemData
    reason: str
    stage: int | None
    destination: int | None
    late: bool
    retrying: bool
    created_at: Moment


class FailurePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Failures, the newest first; `next_cursor` is for `before`."""

    failures: list[Failure]
    next_cursor: str | None


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The failures to try again; without `ids` all of them."""

    ids: Annotated[list[str], Meta(max_length=1000)] | UnsetType = UNSET


class Table(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table that pipelines write to. `rows` is their number."""

    name: str
    rows: int
    created_at: Moment


class TableList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The tables of the organisation, by name."""

    tables: list[Table]
    next_cursor: str | None


class RowPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Rows, the newest first; `next_cursor` is for `before`."""

    rows: list[ItemData]
    next_cursor: str | None
