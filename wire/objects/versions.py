"""The objects of an agent's versions and of its draft in the REST API: requests and answers."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.objects.configuration import Configuration
from wire.parse import Moment

MAX_NOTE = 500
Note = Annotated[str, Meta(max_length=MAX_NOTE)]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Which = int | Literal["draft"]


class Author(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The person, key or operator who made a version."""

    kind: str
    id: str
    name: str


class AgentVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version of an agent. `published`: the agent answers with it at present. `published_at` is
    the last time it was published. Only the answer about a single version has its
    `configuration`."""

    agent_id: str
    version: int
    note: str
    author: Author
    published: bool
    published_at: Moment | None
    created_at: Moment
    configuration: Configuration | UnsetType = UNSET


class AgentVersionPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Versions, the newest first; `next_cursor` is for `before`."""

    versions: list[AgentVersion]
    next_cursor: str | None


class NewVersion(Configuration, frozen=True, kw_only=True, rename="camel"):
    """A version of the draft, with the fields that the request changes."""

    note: Note = ""


class Publication(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The version to publish; without one the draft, as a new version with this note."""

    version: Number | UnsetType = UNSET
    note: Note = ""


class Rollback(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The version that is published again."""

    version: Number


class Draft(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The configuration that the next version will have: that of the published `version`, with the
    fields that `changed` names. `updated_at` is null where nothing is changed."""

    agent_id: str
    version: int
    changed: list[str]
    updated_at: Moment | None
    configuration: Configuration


class Change(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A field in which two versions differ."""

    field: str
    before: Any
    after: Any


class Difference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields that differ between a version and another one, or the draft."""

    before: Which
    after: Which
    changes: list[Change]


class ModelTrial(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The version of the agent whose model is tried; absent: the published one."""

    agent_version: Number | Literal["draft"] | None = None


class ModelTest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a model has answered a short question. `error` says why not."""

    ok: bool
    provider: str
    model: str
    duration_ms: int
    error: str | UnsetType = UNSET
