"""`wire.parse`: whatever comes in, a typed request or an error that names the field comes out."""

import json

import msgspec
import pytest

from engine.errors import ClawError
from wire.errors import status_of
from wire.native import parse_frame
from wire.parse import WRONG, check_client_id, check_text, decode, dumps, field_of, too_large


class Inner(msgspec.Struct):
    role: str


class Outer(msgspec.Struct):
    name: str
    items: list[Inner] = []


OUTER = msgspec.json.Decoder(Outer)


def refused(data: str | bytes) -> ClawError:
    with pytest.raises(ClawError) as raised:
        decode(OUTER, data)
    assert raised.value.code == "invalid_message"
    return raised.value


def field_refused(data: str | bytes) -> str:
    return str((refused(data).details or {})["field"])


def test_it_works() -> None:
    assert decode(OUTER, '{"name": "a", "items": [{"role": "x"}]}') == Outer("a", [Inner("x")])
    assert decode(OUTER, b'{"name": "a", "unknown": 1}') == Outer("a")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ("{}", "name"),
        ('{"name": 1}', "name"),
        ('{"name": null}', "name"),
        ('{"name": "a", "items": [{"role": "x"}, {}]}', "items[1].role"),
        ('{"name": "a", "items": [{"role": 1}]}', "items[0].role"),
        ("[]", "$"),
        ('"name"', "$"),
    ],
)
def test_the_field_is_named(data: str, field: str) -> None:
    shown = field_refused(data)
    assert shown == field or shown == field.replace("[0]", "[...]").replace("[1]", "[...]")


@pytest.mark.parametrize(
    "data", ["", "{", "nonsense", '{"name": "\\ud800"}', b"\xff", '{"a":"\n"}']
)
def test_what_is_no_json_is_refused(data: str | bytes) -> None:
    assert field_refused(data) == "$"


def test_a_frame_with_a_lone_surrogate_is_refused() -> None:
    assert field_refused('{"name": "\ud800"}') == "$"


@pytest.mark.parametrize("data", ["[" * 100_000, '{"x":' * 100_000, '{"x":' + "[" * 100_000])
def test_deep_nesting_is_refused(data: str) -> None:
    assert field_refused(data) == "$"


def test_p37_what_the_client_sent_is_not_repeated() -> None:
    assert "secret" not in str(vars(refused('{"name": {"secret": 1}}')))


def test_a_problem_without_a_path_is_about_the_whole() -> None:
    assert field_of("Expected `object`, got `array`") == "$"


@pytest.mark.parametrize("text", ["", " \n\t", "a\0b", "\ud800", "a\udfffb"])
def test_text_is_something_and_can_be_stored(text: str) -> None:
    with pytest.raises(ClawError) as raised:
        check_text("content", text)
    assert raised.value.details == {"field": "content"}


@pytest.mark.parametrize("text", ["a", " a ", "😀", "a\u2028", "\x01", "\ufeff"])
def test_any_other_text_is_fine(text: str) -> None:
    check_text("content", text)


@pytest.mark.parametrize("value", ["", "a b", "a/b", "ä", "a" * 129, "a\n", "a\0"])
def test_an_id_of_a_client_is_short_and_plain(value: str) -> None:
    with pytest.raises(ClawError) as raised:
        check_client_id("conversationId", value)
    assert raised.value.details == {"field": "conversationId"}


@pytest.mark.parametrize("value", [None, "a", "A.b_c:d-1", "a" * 128])
def test_any_other_id_is_fine(value: str | None) -> None:
    check_client_id("conversationId", value)


def test_too_large_says_how_large_it_may_be() -> None:
    error = too_large(32768)
    assert (status_of(error), error.details) == (413, {"limit": 32768})


def test_json_is_compact() -> None:
    assert dumps({"a": [1, "é"]}) == '{"a":[1,"é"]}'.encode()


@pytest.mark.parametrize(
    ("frame", "field", "words"),
    [
        ({"type": "nonsense"}, "type", "auth, message, chat, cancel"),
        (
            {"type": "chat", "messages": [{"role": "system", "content": "x"}]},
            "messages[0].role",
            "assistant, user",
        ),
        ({"type": "message", "content": "x", "ifBusy": "no"}, "ifBusy", "queue, reject"),
    ],
)
def test_an_unknown_word_is_told_the_known_ones(
    frame: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(ClawError) as refused:
        parse_frame(json.dumps(frame), message_bytes=1000)
    assert refused.value.details == {"field": field}
    assert words in refused.value.message


def test_a_field_of_any_words_is_told_none() -> None:
    with pytest.raises(ClawError) as refused:
        parse_frame('{"type": "message", "content": 5}', message_bytes=1000)
    assert refused.value.message == WRONG
