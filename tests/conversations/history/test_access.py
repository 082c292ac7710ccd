"""`conversations.history.access`: a search of conversations."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from agents.auth import keys
from conversations.history.access import Search, conversation_to_erase, found
from conversations.models import Conversation, Message
from engine.errors import ClawError
from tests.agents.callers import caller_of
from tests.conversations.history.talks import say, talk


def titles(**search) -> set[str]:
    """The titles of what is found."""
    return {row.title for row in found(Conversation.objects.all(), Search(**search))}


@pytest.fixture
def talks(agent):
    talk(agent, "Where is my order?", "It was sent to Bremen.", title="Order")
    talk(agent, "Was kostet die Rückerstattung? 50%_", owner="user:ada", title="Refund")
    talk(agent, "退款需要多长时间", owner="keys", title="Chinese")


@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("order", {"Order"}),
        ("ORDER where", {"Order"}),
        ("brem", {"Order"}),
        ("order Bremen", set()),  # words of two messages
        ("rucker", {"Refund"}),
        ("退款", {"Chinese"}),
        ("50%_", {"Refund"}),
        ("%", set()),
        ("_", set()),
        ("'; DROP TABLE x --", set()),
        ('"AND" NOT (', set()),
        ("refund", {"Refund"}),
        ("parcel\0", set()),
        ("\\", set()),
        ("x" * 5000, set()),
        ("was " * 100, {"Order", "Refund"}),
        ("", {"Order", "Refund", "Chinese"}),
    ],
)
def test_words_are_found(talks, q, wanted):
    assert titles(q=q) == wanted


def test_an_id_is_found(talks):
    row = Conversation.objects.get(title="Order")
    assert titles(q=f" {row.id} ") == {"Order"}


def test_what_was_replaced_is_not_found(talks):
    Message.objects.filter(content__contains="Bremen").update(replaced=True)
    assert titles(q="bremen") == set()


def test_who_asked(talks):
    assert titles(visitor="anon:v1") == titles(by="visitor") == {"Order"}
    assert titles(visitor="user:ada") == titles(by="user") == {"Refund"}
    assert titles(by="key") == {"Chinese"}
    assert titles(by="member") == titles(visitor="anon:") == titles(visitor="keys") == set()


def test_days_on_which_it_was_going_on(agent):
    row = talk(agent, "Hello", title="Long")
    row.created_at = timezone.now().replace(2026, 3, 10, 12)
    row.last_message_at = row.created_at + timedelta(days=10)
    row.save()
    before, first, within, last, after = (date(2026, 3, day) for day in (9, 10, 15, 20, 21))
    assert titles(first=last) == titles(last=first) == titles(first=within, last=within) == {"Long"}
    assert titles(first=after) == titles(last=before) == set()


def test_a_message_counts_once(talks):
    say(Conversation.objects.get(title="Order"), "My order again", "Your order")
    rows = found(Conversation.objects.all(), Search(q="order"))
    assert [row.title for row in rows] == ["Order"]


def test_any_conversation_may_be_erased_with_the_scope_admin(agent, foreign_agent):
    def made(of):
        about = {"organization": of.organization, "agent": of, "owner": "visitor:v1"}
        return Conversation.objects.create(**about)

    theirs, foreign = made(agent), made(foreign_agent)
    plain = keys.create_key(agent.organization, name="p", scopes=["conversations:write"])[0]
    admin = keys.create_key(agent.organization, name="a", scopes=["admin"])[0]
    assert conversation_to_erase(caller_of(admin, agent), theirs.id) == theirs
    for key, row in ((plain, theirs), (admin, foreign)):
        with pytest.raises(ClawError, match="no such conversation"):
            conversation_to_erase(caller_of(key, agent), row.id)
