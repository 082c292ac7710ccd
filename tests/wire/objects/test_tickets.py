"""`wire.objects.tickets`: what a stream ticket is for."""

import jsonschema_rs
import msgspec
import pytest

from engine.errors import ClawError
from wire import parse
from wire.objects.tickets import NewTicket

_decoder = msgspec.json.Decoder(NewTicket)


def ticket(text: str) -> NewTicket:
    body = parse.decode(_decoder, text)
    body.check()
    return body


def test_it_works() -> None:
    asking = ticket('{"message": "Hi", "conversationId": "c", "merge": true}')
    assert asking.chat is not None
    assert (asking.chat.message, asking.chat.conversation_id) == ("Hi", "c")
    assert asking.options.merge and asking.chat.options.merge
    assert ticket('{"runId": "run_1"}').chat is None
    assert ticket('{"conversationId": "c"}').chat is None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{}", "runId"),
        ('{"runId": "run_1", "message": "Hi"}', "runId"),
        ('{"runId": "run_1", "conversationId": "c"}', "runId"),
        ('{"conversationId": "a b"}', "conversationId"),
        ('{"message": 5}', "message"),
    ],
)
def test_it_is_for_one_thing(text: str, field: str) -> None:
    with pytest.raises(ClawError) as raised:
        ticket(text)
    assert raised.value.details == {"field": field}


@pytest.mark.parametrize("text", ['{"message": " "}', '{"message": "a\\u0000"}'])
def test_its_message_is_a_message(text: str) -> None:
    with pytest.raises(ClawError) as raised:
        _ = ticket(text).chat
    assert raised.value.code == "invalid_message"


TICKETS = [
    {"runId": "r"},
    {"conversationId": "c"},
    {"message": "m"},
    {"message": "m", "conversationId": "c"},
    {"runId": "r", "message": None, "conversationId": None},
    {"conversationId": "c", "message": None},
    {},
    {"runId": None},
    {"runId": "r", "message": "m"},
    {"runId": "r", "conversationId": "c"},
    {"runId": "r", "conversationId": "c", "message": "m"},
    {"merge": True},
]


@pytest.mark.parametrize("body", TICKETS)
def test_the_schema_says_what_the_check_says(body: dict[str, object]) -> None:
    try:
        msgspec.convert(body, NewTicket).check()
    except ClawError:
        accepted = False
    else:
        accepted = True
    assert jsonschema_rs.validator_for(NewTicket.SCHEMA).is_valid(body) == accepted
