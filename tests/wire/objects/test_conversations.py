"""`wire.objects.conversations`: what REST answers, in one definition."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests import fixtures
from wire.objects.conversations import ErrorEnvelope, Message
from wire.parse import dumps


def message(name: str) -> dict[str, Any]:
    """The message that a fixture's run adds up to, as in the history."""
    found: dict[str, Any] = fixtures.snapshot(name)["message"]
    return found


def test_it_works() -> None:
    shown = msgspec.convert(message("complete"), Message)
    assert (shown.role, shown.status, shown.stop_reason) == ("assistant", "completed", "end_turn")
    assert shown.created_at == datetime.fromisoformat(fixtures.CREATED)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_p9_a_message_of_the_fold_is_one_of_the_history(name: str) -> None:
    sent = message(name)
    assert msgspec.to_builtins(msgspec.convert(sent, Message)) == sent


def test_what_does_not_apply_is_absent() -> None:
    shown = dumps(msgspec.convert(message("complete"), Message))
    assert b"thinking" not in shown and b"clientMessageId" not in shown


def test_an_error_says_only_what_is_known() -> None:
    sent = b'{"error":{"code":"forbidden","message":"No.","requestId":"req_1"}}'
    assert dumps(msgspec.json.decode(sent, type=ErrorEnvelope)) == sent


@pytest.mark.parametrize("field", ["id", "content", "status", "createdAt"])
def test_a_message_lacks_nothing(field: str) -> None:
    sent = message("complete")
    del sent[field]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(sent, Message)
