"""`wire.facade.files`: files in the parts of messages."""

import base64
import json
from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from wire.facade.completions import parse_completion
from wire.facade.files import Part, SentFile, files_of
from wire.facade.responses.request import parse_response

PNG = base64.b64encode(b"picture").decode()


def parts(*given: dict[str, Any]) -> list[Part]:
    return msgspec.convert(list(given), list[Part])


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            SentFile("f[0]", "image.png", b"picture"),
        ),
        (
            {"type": "input_image", "detail": "low", "image_url": f"data:image/png;base64,{PNG}"},
            SentFile("f[0]", "image.png", b"picture"),
        ),
        ({"type": "input_image", "file_id": "file_1"}, SentFile("f[0]", id="file_1")),
        ({"type": "file", "file": {"file_id": "file_1"}}, SentFile("f[0]", id="file_1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": PNG},
            SentFile("f[0]", "a.pdf", b"picture"),
        ),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}"}},
            SentFile("f[0]", "file.pdf", b"picture"),
        ),
    ],
)
def test_it_works(part: dict[str, Any], found: SentFile) -> None:
    assert files_of(parts(part), "f") == [found]


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,+/+/YQ==",
        "DATA:Image/PNG;Base64,+/+/YQ==",
        "data:image/png;charset=utf-8;base64,+/+/YQ==",
        "data:image/png;base64,+/+/\r\nYQ==\r\n",
        "data:image/png;base64,-_-_YQ",
    ],
)
def test_base64_is_read_as_clients_write_it(url: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    found = SentFile("f[0]", "image.png", b"\xfb\xff\xbfa")
    assert files_of(parts(part), "f") == [found]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": "data:image/png,abc"},
        {"type": "image_url"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_file", "file_data": "no base64!"},
        {"type": "file", "file": {"file_data": "a"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,ä"}},
    ],
)
def test_what_is_no_file_is_refused_by_its_place(part: dict[str, Any]) -> None:
    with pytest.raises(ClawError) as raised:
        files_of(parts({"type": "text", "text": "See"}, part), "content")
    assert raised.value.details == {"field": "content[1]"}


def test_files_stay_with_their_message() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "One"}, image]},
        {"role": "assistant", "content": "Red."},
        {"role": "user", "content": [image]},
    ]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    chat = parse_completion(body).chat(message_bytes=1000)
    assert [[file.field for file in of_one] for of_one in chat.files] == [
        ["messages[0].content[1]"],
        [],
        ["messages[2].content[0]"],
    ]
    assert chat.turns[-1].content == "image.png"
    again = parse_completion(body).chat(message_bytes=1000)
    assert msgspec.structs.replace(again, attachments=["file_9"]).identity == chat.identity


def test_only_the_user_sends_files() -> None:
    image = {"type": "input_image", "file_id": "file_1"}
    asked = parse_response(json.dumps({"input": [{"role": "system", "content": [image]}]}).encode())
    with pytest.raises(ClawError) as raised:
        asked.history(message_bytes=1000)
    assert raised.value.details == {"field": "input[0].content[0]"}
