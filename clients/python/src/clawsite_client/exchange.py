"""Requests and answers in the terms of httpx2, for both clients."""

import json
from typing import Any, Literal, TypeAlias, cast, get_args

import httpx2

from clawsite_client.errors import ClawError, error_of
from clawsite_client.steps import Request

TIMEOUT = httpx2.Timeout(10.0, read=60.0)
"""Seconds; a stream is never silent for so long."""


Transport: TypeAlias = Literal["sse", "websocket"]
"""How the events of an answer come."""


def token_of(token: str | None, api_key: str | None) -> str:
    """The token that is given; `api_key` is another name of it. Raises ClawError."""
    given = token or api_key
    if not given:
        raise ClawError("auth_required", "Give a `token`: an API key, or a visitor's token.")
    return given


def checked(transport: str) -> Transport:
    """A transport that there is. Raises ClawError."""
    if transport not in get_args(Transport):
        raise ClawError(
            "invalid_message", f"A transport is `sse` or `websocket`, not {transport!r}."
        )
    return cast(Transport, transport)


def headers_of(token: str, request: Request) -> dict[str, str]:
    """The headers of a request."""
    return {"Authorization": f"Bearer {token}", **request.headers}


def parts_of(request: Request) -> dict[str, Any]:
    """The arguments of httpx2's `build_request`."""
    parts: dict[str, Any] = {"params": request.query, "headers": request.headers}
    if request.file is not None:
        parts["files"] = {"file": request.file}
    elif request.body is not None:
        parts["json"] = request.body
    return parts


def failure(response: httpx2.Response) -> ClawError:
    """The error of an answer that is read."""
    return error_of(response.status_code, decoded(response), response.headers.get("retry-after"))


def decoded(response: httpx2.Response) -> Any:
    """The JSON of an answer that is read, or None."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None
