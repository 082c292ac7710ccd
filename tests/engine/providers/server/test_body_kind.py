import pytest

from engine.providers.server.body_kind import kind_of, media_type


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"data: {}", "events"),
        (b"\r\n\n: ping", "events"),
        (b"event: x", "events"),
        (b"\xef\xbb\xbfid: 1", "events"),
        (b"data\n", "events"),
        (b"\xef\xbb\xbf {", "json"),
        (b"[", "json"),
        (b"<html>", "other"),
        (b"Service unavailable", "other"),
        (b"error: no", "other"),
        (b"dat", None),
        (b"\xef\xbb", None),
        (b" \n", None),
        (b"", None),
    ],
)
def test_what_a_body_is(start: bytes, kind: str | None) -> None:
    assert kind_of(start, "") == kind
    assert kind_of(bytearray(start), "text/plain") == kind


def test_an_event_stream_may_begin_with_any_line() -> None:
    assert kind_of(b"hello", "Text/Event-Stream ; charset=utf-8") == "events"
    assert kind_of(b"{", "text/event-stream") == "json"


@pytest.mark.parametrize("header", ["text/html", " Text/HTML;q=1", "TEXT/HTML ; charset=x"])
def test_a_media_type_has_no_case(header: str) -> None:
    assert media_type(header) == "text/html"
