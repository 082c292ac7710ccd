"""`clawsite.http.refused`: what no route can answer."""

from typing import Any
from urllib.parse import unquote

import pytest

from clawsite.http.refused import problem_of
from tests.asgi import Response
from wire.errors import status_of

LENGTH = {"content-length": "5"}


def scope(query: bytes = b"", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "query_string": query, "headers": pairs}


@pytest.mark.parametrize("path", ["/api/chat", "/admin/login/", "/healthz", "/static/x.js"])
async def test_a_compressed_body_is_415_on_every_path(path: str) -> None:
    """RFC 9110, 15.5.16."""
    headers = {"content-encoding": "gzip", "content-length": "5"}
    async with Response("POST", path, {}, **headers) as response:
        await response.ended()
    assert response.status == 415 and "unsupported_encoding" in response.text
    assert (b"accept-encoding", b"identity") in response.sent[0]["headers"]


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, deflate", "nonsense"])
def test_every_coding_of_a_body_is_refused(coding: str) -> None:
    for body in ({"content_length": "5"}, {"transfer_encoding": "chunked"}):
        problem = problem_of(scope(content_encoding=coding, **body))
        assert problem is not None and status_of(problem) == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"content_length": "5"},
        {"content_length": "5", "content_encoding": "Identity"},
        {"content_length": "5", "content_encoding": ""},
        {"content_length": "0", "content_encoding": "gzip"},
        {"content_encoding": "gzip"},
    ],
)
def test_what_is_not_compressed_is_none(headers: dict[str, str]) -> None:
    assert problem_of(scope(**headers)) is None


def test_too_many_query_parameters(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    assert problem_of(scope(b"a&b&c")) is None
    problem = problem_of(scope(b"a&b&c&d"))
    assert problem is not None and status_of(problem) == 400


@pytest.mark.parametrize("path", ["/api/keys/%00", "/a/acme/api/runs/run_%00", "/console/%00/"])
async def test_an_address_with_a_nul_leads_nowhere(path: str) -> None:
    async with Response("GET", unquote(path), {}) as response:
        await response.ended()
    assert response.status == 404 and "not_found" in response.text
