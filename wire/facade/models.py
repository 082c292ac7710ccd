"""Agents as OpenAI's models (https://platform.openai.com/docs/api-reference/models, read on
2026-11-30)."""

from datetime import datetime
from typing import Literal, Self

import msgspec

OWNER = "clawsite"


class Model(msgspec.Struct, frozen=True):
    """An agent; `id` is its slug."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str

    @classmethod
    def of(cls, slug: str, created: datetime) -> Self:
        """The agent of this slug."""
        return cls(slug, "model", int(created.timestamp()), OWNER)


class ModelList(msgspec.Struct, frozen=True):
    """Agents, the newest first."""

    object: Literal["list"]
    data: list[Model]
