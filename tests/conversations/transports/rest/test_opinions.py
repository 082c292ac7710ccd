"""`conversations.transports.rest.opinions`: opinions are kept, taken back, and the caller's own."""

import pytest

from conversations.models import Conversation, Message
from core.database import database_step
from tests.asgi import ask
from tests.conversations.history.talks import talk

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def mine(agent) -> Conversation:
    return talk(agent, "Where is my order?", owner="keys")


@pytest.fixture
def answer(mine) -> Message:
    return Message.objects.get(conversation=mine, role="assistant")


async def stored(row: Conversation | Message) -> tuple[object, str]:
    """The rating and the comment that the database has."""
    await database_step(row.refresh_from_db)
    return row.rating, row.comment


async def test_an_answer_is_rated_and_the_rating_taken_back(answer, key) -> None:
    path = f"/api/messages/{answer.public_id}/feedback"
    status, _ = await ask("PUT", path, {"rating": "down", "comment": "Wrong."}, token=key[1])
    assert status == 200
    assert await stored(answer) == ("down", "Wrong.")
    status, _ = await ask("PUT", path, {"rating": None, "comment": "Never mind."}, token=key[1])
    assert status == 200 and await stored(answer) == ("", "")


async def test_a_conversation_is_rated_from_1_to_5(mine, key) -> None:
    path = f"/api/conversations/{mine.pk}/rating"
    assert (await ask("PUT", path, {"rating": 5, "comment": "Good."}, token=key[1]))[0] == 200
    assert await stored(mine) == (5, "Good.")
    for wrong in (0, 6, "five"):
        status, told = await ask("PUT", path, {"rating": wrong}, token=key[1])
        assert (status, told["error"]["code"]) == (400, "invalid_message")


async def test_strangers_find_nothing_to_rate(mine, answer, foreign_key) -> None:
    paths = {
        f"/api/messages/{answer.public_id}/feedback": {"rating": "up"},
        f"/api/conversations/{mine.pk}/rating": {"rating": 1},
    }
    for path, body in paths.items():
        assert (await ask("PUT", path, body, token=foreign_key[1]))[0] == 404
