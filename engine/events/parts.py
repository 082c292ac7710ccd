"""The parts of events that are objects of their own."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

ASK_USER = "ask_user"
"""The tool whose calls are questions of the agent. Its name is the same everywhere."""

Approvers: TypeAlias = Literal["members", "visitor"]
"""The approvers of a tool's calls: members of the organisation only, or the visitor too."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tokens, money and time of a whole answer. `total_tokens` = input + output.

    `cost` is in USD, null when the price is unknown (never a made-up 0). `source` tells whether the
    provider counted or we estimated (an answer that was cut before its count arrived).
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: float | None
    model: str
    latency_ms: int
    ttft_ms: int | None
    tokens_per_second: float | None
    source: Literal["provider", "estimated"]
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class Metrics(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Measured times and tokens. `ttft_ms` is null if no token came; `tokens_per_second` counts
    from the first token."""

    ttft_ms: int | None
    total_ms: int
    token_count: int
    tokens_per_second: float | None


class Source(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False
):
    """A passage of a document that an answer stands on: `excerpt` is `[start:end]` (characters) of
    the document's text. `page` counts from 1."""

    document_id: str
    title: str
    chunk_id: int
    start: int
    end: int
    excerpt: str
    url: str | None = None
    page: int | None = None


class DecidedBy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The one that decided, or `expiry`, or the end of the run (`withdrawal`), or the standing
    approval of somebody (`standing`). Visitors get no `id` of others."""

    kind: Literal["key", "member", "visitor", "standing", "expiry", "withdrawal"]
    id: str | None = None


class Pending(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A need of a waiting run: it goes on when that is decided, by the `id`. An approval
    and a client's tool have `tool` and `args`, a question has `text`. `child_run_id`: another
    agent's run asks for it, which this run waits for."""

    kind: Literal["approval", "question", "client_tool"]
    id: str
    tool: str | None = None
    args: dict[str, Any] | None = None
    args_digest: str | None = None
    expires_at: datetime | None = None
    approvers: Approvers | None = None
    editable: bool = False
    text: str | None = None
    choices: list[str] | None = None
    schema: dict[str, Any] | None = None
    child_run_id: str | None = None
