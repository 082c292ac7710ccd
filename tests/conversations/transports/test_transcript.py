"""What was said is the organisation's to read, whoever said it, and nobody else's."""

import pytest
from django.test import RequestFactory

from agents.caller import Caller
from agents.validators import scopes_with
from conversations import access
from conversations.transports.rest import api
from engine.errors import ClawError
from tests.agents.callers import having, visitor_of
from tests.conversations.parts import ask
from wire.errors import status_of


@pytest.fixture
def said(caller: Caller) -> str:
    """The id of a visitor's conversation."""
    visitor = visitor_of(caller, "visitor:anon:1")
    return ask(visitor, "Hello from a visitor").run.conversation.public_id


def read(caller: Caller, conversation_id: str) -> bytes:
    return api.transcript(RequestFactory().get("/"), caller, conversation_id).content


def test_it_works(caller: Caller, said: str) -> None:
    admin = having(caller, scopes=scopes_with({"admin"}))
    answer = read(admin, said)
    assert b'"content":"Hello from a visitor"' in answer
    assert b"+00:00" not in answer  # times have one form


def test_a_key_that_may_read_its_own_conversations_may_not(caller: Caller, said: str) -> None:
    with pytest.raises(ClawError) as refused:
        read(caller, said)
    assert refused.value.code == "forbidden"


def test_another_organisation_finds_nothing(foreign_caller: Caller, said: str) -> None:
    with pytest.raises(ClawError) as refused:
        read(having(foreign_caller, scopes=scopes_with({"admin"})), said)
    assert refused.value.code == "conversation_not_found"


def test_a_second_conversation_of_a_name_is_a_conflict(caller: Caller) -> None:
    access.create_conversation(caller, "mine", "")
    with pytest.raises(ClawError) as refused:
        access.create_conversation(caller, "mine", "")
    assert (refused.value.code, status_of(refused.value)) == ("conversation_exists", 409)
