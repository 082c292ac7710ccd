"""`clawsite.http.bodies`."""

import pytest

from clawsite.http import bodies
from clawsite.http.bodies import FORM_BYTES, Body, max_body
from engine.errors import ClawError


@pytest.mark.parametrize(
    ("method", "path", "large"),
    [
        ("POST", "/api/agents/helpdesk/documents", True),
        ("POST", "/a/helpdesk/api/agents/helpdesk/documents", True),
        ("GET", "/api/agents/helpdesk/documents", False),
        ("POST", "/api/agents/helpdesk/search", False),
        ("POST", "/api/agents/a/b/documents", False),
        ("POST", "/api/chat", False),
    ],
)
def test_it_works(settings, method, path, large):
    ordinary, document = settings.CLAW_TRANSPORT_MAX_BYTES, settings.CLAW_MAX_DOCUMENT_BYTES
    assert max_body(method, path) == (document + FORM_BYTES if large else ordinary)


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/a/helpdesk/v1/responses", "/api/ai-sdk/chat"]
)
def test_foreign_clients_send_files_within_a_message(settings, path):
    settings.CLAW_TRANSPORT_MAX_BYTES, settings.CLAW_MAX_FILE_BYTES = 1000, 300
    settings.CLAW_MAX_FILES_PER_MESSAGE = 5
    assert max_body("POST", path) == 1000 + 5 * 400
    assert max_body("POST", f"{path}/resp_1/cancel") == 1000


def test_a_body_is_whole_again(settings):
    settings.CLAW_TRANSPORT_MAX_BYTES = 3
    with Body(10) as body:
        for piece in (b"ab", b"", b"cd", b"e"):
            body.add(piece)
    with body.whole() as file:
        assert file.read() == b"abcde"


def test_a_body_has_a_limit():
    with pytest.raises(ClawError) as raised, Body(3) as body:
        body.add(b"abc")
        body.add(b"d")
    assert raised.value.code == "message_too_large"


def test_few_large_bodies_come_at_once(settings, monkeypatch):
    settings.CLAW_TRANSPORT_MAX_BYTES = 1
    monkeypatch.setattr(bodies, "MAX_LARGE", 1)
    with Body(10) as first:
        first.add(b"ab")
        with pytest.raises(ClawError) as raised, Body(10) as second:
            second.add(b"ab")
        assert raised.value.code == "unavailable"
    first.whole().close()
    with Body(10) as third:
        third.add(b"ab")
    third.whole().close()
