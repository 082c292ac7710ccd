"""`clawsite.server.refusals`: what is no request yet is refused in the envelope of every error."""

import json

import pytest

from clawsite.server.refusals import REFUSALS, names_host, refusal


@pytest.mark.parametrize("status", [400, 413, *REFUSALS])
def test_it_works(status: int) -> None:
    head, _, body = refusal(status).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    error = json.loads(body)["error"]
    assert lines[0].startswith(f"HTTP/1.1 {status} ")
    assert int(fields["content-length"]) == len(body)
    assert fields["connection"] == "close"
    assert error["requestId"] == fields["x-request-id"]
    assert error["code"] and error["message"]


def test_a_detail_takes_the_place_of_the_message() -> None:
    assert b"Two hosts are named." in refusal(400, {"x-more": "1"}, "Two hosts are named.")
    assert b"x-more: 1\r\n" in refusal(400, {"x-more": "1"})


@pytest.mark.parametrize(
    ("hosts", "version", "named"),
    [
        ([b"example.com"], "1.1", True),
        ([b"[::1]:8000"], "1.1", True),
        ([], "1.0", True),
        ([], "1.1", False),
        ([b"a", b"b"], "1.1", False),
        ([b"a b"], "1.1", False),
        ([b"a/b"], "1.1", False),
    ],
)
def test_a_request_names_one_host(hosts: list[bytes], version: str, named: bool) -> None:
    assert names_host(hosts, version) is named
