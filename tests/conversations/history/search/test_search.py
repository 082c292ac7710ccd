"""`conversations.history.search`: what a search finds, and that it stays in step. It runs on both
databases."""

import pytest
from django.db import connection

from conversations.history.search.search import forget_deleted, said
from conversations.models import Conversation, Message
from tests.conversations.history.talks import say, talk

pytestmark = pytest.mark.django_db


def titles(q: str) -> set[str]:
    """The titles of the conversations in which this was said."""
    return set(Conversation.objects.filter(said(q)).values_list("title", flat=True))


@pytest.mark.parametrize(
    "q",
    [
        "refunds",
        "REFUND",
        "refunds/returns",
        "returns",
        "ruckerstattungs",
        "Rückerstattung",
        "RÜCKERSTATTUNGSANTRAG",
        "support",
        "example.com",
        "order_id",
        "4711",
        "AI",
        "日程",
        "工作日",
        "\uff52\uff45\uff46und",
        "がく",
        "yes",
        "it's",
        "refund 日程 AI",
    ],
)
def test_each_word_is_found_by_its_beginning(agent, q):
    talk(
        agent,
        "Refunds/returns by support@example.com: “yes—it's”; order_id=4711, AI.",
        "Ihr Rückerstattungsantrag. 工作日程表, がくせい",
        title="Other",
    )
    talk(
        agent,
        "Refunds/returns by support@example.com: “yes—it's”; order_id=4711, AI."
        " Ihr Rückerstattungsantrag. 工作日程表, がくせい",
        title="All",
    )
    assert "All" in titles(q)


@pytest.mark.parametrize(
    "q",
    [
        "fund",
        "A",
        "refund nothing",
        "日工",
        "47111",
        "",
        "%",
        '" OR 1=1 --',
        "' & !",
        "NEAR(refund returns)",
        "content:refund",
        "refund -order",
        ":*",
        "\\",
        "\ud83d\ude00",
        "\u0301",
        "½⅓",
    ],
)
def test_nothing_in_a_search_means_anything_but_its_words(agent, q):
    talk(agent, "The refund. 工作日程表", title="One")
    assert titles(q) == set()


def test_it_follows_every_change_at_once(agent):
    row = talk(agent, "Where is my parcel?", "", title="One")
    message = Message.objects.get(conversation=row, role="assistant")
    assert titles("parcel") == {"One"}
    Message.objects.filter(pk=message.pk).update(content="In Bremen.")
    assert titles("bremen") == {"One"}
    Message.objects.filter(pk=message.pk).update(content="In Hamburg.", status="failed")
    assert (titles("bremen"), titles("hamburg")) == (set(), {"One"})
    Message.objects.filter(pk=message.pk).update(replaced=True)
    assert titles("hamburg") == set()
    say(row, "Thanks", "Goodbye")
    Conversation.objects.filter(pk=row.pk).delete()
    talk(agent, "Something else", title="Two")
    assert titles("parcel") == titles("goodbye") == set()


def test_all_words_are_in_one_message(agent):
    talk(agent, "Where is my order?", "It is in Bremen.", title="One")
    assert titles("order bremen") == set()
    assert titles("where order") == {"One"}


def test_a_message_of_megabytes_is_stored_and_found_by_its_beginning(agent):
    words = " ".join(f"w{number:x}-x{number:x}/{'𠀀' * (number % 3)}" for number in range(300_000))
    talk(agent, f"unmistakable {words}", title="Long")
    assert titles("unmistakable") == {"Long"}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps no words of its own")
def test_p39_nothing_of_a_deleted_message_stays_in_the_index(agent):
    row = talk(agent, "zymurgy", title="One")
    for number in range(20):
        talk(agent, f"Something else {number}")
    row.delete()
    forget_deleted()
    with connection.cursor() as cursor:
        cursor.execute("SELECT block FROM conversations_words_data")
        assert not any(b"zymurgy" in bytes(block) for (block,) in cursor.fetchall())
