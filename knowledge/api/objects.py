"""The objects of the API of documents."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from wire.parse import Moment


class NewDocument(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A text with its title, or the address of a page, which may have one."""

    text: Annotated[str, msgspec.Meta(min_length=1)] | UnsetType = UNSET
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | UnsetType = UNSET
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=300)] | UnsetType = UNSET


class DocumentForm(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and its title if it shall have another than its name."""

    file: Annotated[
        str, msgspec.Meta(extra_json_schema={"contentMediaType": "application/octet-stream"})
    ]
    title: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A document. `chunks` is how many passages it has, `bytes` the size of what was given;
    `error` says why it `failed`, or why a page that is `ready` could not be fetched again."""

    id: str
    title: str
    status: Literal["queued", "ready", "failed"]
    chunks: int
    bytes: int
    created_at: Moment
    url: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class DocumentPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Documents, the newest first; `next_cursor` is for `before`."""

    documents: list[Document]
    next_cursor: str | None


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question, in any words: there is no syntax."""

    query: Annotated[str, msgspec.Meta(min_length=1)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5


class Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A passage: `excerpt` is `[start:end]` (characters) of the document's text. `score` orders the
    results of one search, and means nothing beyond it."""

    document_id: str
    title: str
    chunk_id: int
    start: int
    end: int
    excerpt: str
    score: float
    url: str | UnsetType = UNSET
    page: int | UnsetType = UNSET


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The passages that an agent finds for a question, the best first."""

    results: list[Result]


class EmbeddingServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server of OpenAI's API that makes vectors: `url` ends where `/embeddings` begins, and
    `secret` is the name of the secret that is its key, null where it wants none."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    secret: str | None = None
