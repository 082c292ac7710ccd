"""Errors in the form that each foreign protocol has for them.

OpenAI's: https://platform.openai.com/docs/guides/error-codes, read on 2026-11-30."""

import re
from collections.abc import Callable

import msgspec

from engine.errors import ClawError
from wire.errors import envelope_of, status_of
from wire.facade.mcp import McpAnswer, mcp_envelope
from wire.objects.conversations import ErrorBody, ErrorEnvelope

MCP = re.compile(r"(/a/[^/]+)?/mcp/?$")
OPENAI = re.compile(r"(/a/[^/]+)?/v1/")

TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
"""The types of errors by their status; all other mistakes of a client are invalid requests."""


class OpenAIErrorBody(ErrorBody, frozen=True, kw_only=True):
    """An error with the two fields that OpenAI's clients read too: its `type`, and in `param` the
    name of the field that is wrong."""

    type: str
    param: str | None


class OpenAIErrorEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every error below `/v1`."""

    error: OpenAIErrorBody


def openai_envelope(error: ClawError, request_id: str) -> OpenAIErrorEnvelope:
    """The body of an HTTP answer to a client of OpenAI's."""
    body = msgspec.structs.asdict(envelope_of(error, request_id).error)
    param = (error.details or {}).get("field")
    return OpenAIErrorEnvelope(error=OpenAIErrorBody(**body, type=type_of(error), param=param))


def type_of(error: ClawError) -> str:
    """The type of an error."""
    status = status_of(error)
    return TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


Envelope = Callable[[ClawError, str], ErrorEnvelope | OpenAIErrorEnvelope | McpAnswer]

ENVELOPES: tuple[tuple[re.Pattern[str], Envelope], ...] = (
    (OPENAI, openai_envelope),
    (MCP, mcp_envelope),
)
"""Below which addresses errors have a form of their own."""


def envelope_at(path: str) -> Envelope:
    """The function that puts an error into the form of this address."""
    return next((envelope for place, envelope in ENVELOPES if place.match(path)), envelope_of)
