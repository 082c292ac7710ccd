"""`conversations.history.page`: messages as clients see them, a page at a time."""

import msgspec
import pytest
from django.utils import timezone

from conversations.history import page as history
from conversations.history.page import read_messages
from conversations.models import Message, Run
from core.http import Page
from engine.errors import ClawError
from tests.conversations.parts import ask
from wire.errors import status_of
from wire.objects.conversations import MessagePage
from wire.parse import dumps
from wire.visibility import EVERYTHING, visible

TOOL = {"id": "t", "tool": "add", "args": {}}


@pytest.fixture
def run(caller) -> Run:
    return ask(caller, "Hello", conversation_id="abc", client_message_id="m-1").run


def page(caller, *, name: str = "abc", **fields) -> dict:
    """A page as a client reads it."""
    return shown(read_messages(caller, name, Page(**fields), EVERYTHING))


def shown(page: MessagePage) -> dict:
    return msgspec.json.decode(dumps(page))


def ids(shown: dict) -> list[str]:
    return [message["id"] for message in shown["messages"]]


def test_it_works(caller, run):
    asked, answer = page(caller)["messages"]

    assert (asked["role"], asked["content"], asked["status"]) == ("user", "Hello", "completed")
    assert (asked["runId"], asked["clientMessageId"]) == (run.pk, "m-1")
    assert (answer["role"], answer["content"], answer["status"]) == ("assistant", "", "queued")
    assert answer["runId"] == run.pk
    assert "thinking" not in answer and "clientMessageId" not in answer
    assert page(caller)["nextCursor"] is None


@pytest.mark.parametrize(
    ("of_run", "shown"), [("running", "streaming"), ("waiting", "waiting"), ("queued", "queued")]
)
def test_what_is_being_written_says_so(caller, run, of_run, shown):
    Run.objects.update(status=of_run, waits_until=timezone.now())

    assert [message["status"] for message in page(caller)["messages"]] == ["completed", shown]


@pytest.fixture
def many(caller) -> list[str]:
    """The ids of nine messages."""
    turns = [("user" if place % 2 == 0 else "assistant", str(place)) for place in range(7)]
    run = ask(caller, conversation_id="abc", messages=[*turns, ("user", "7")]).run
    rows = Message.objects.filter(conversation=run.conversation).order_by("id")
    return list(rows.values_list("public_id", flat=True))


def test_without_a_cursor_the_newest_oldest_first(caller, many):
    shown = page(caller, limit=4)
    assert ids(shown) == many[-4:]
    assert shown["nextCursor"] == many[-4]


def test_backwards_and_forwards_every_message_is_met_once(caller, many):
    backwards, cursor = [], None
    while True:
        shown = page(caller, limit=4, before=cursor)
        backwards = ids(shown) + backwards
        if (cursor := shown["nextCursor"]) is None:
            break
    assert backwards == many

    forwards, cursor = [many[0]], many[0]
    while cursor:
        shown = page(caller, limit=3, after=cursor)
        forwards += ids(shown)
        cursor = shown["nextCursor"]
    assert forwards == many


def test_p24_a_cursor_of_another_conversation_is_no_cursor(caller, foreign_caller, run):
    theirs = ask(foreign_caller).run.message.public_id
    mine = ask(caller, conversation_id="other").run.message.public_id
    for cursor in (theirs, mine, "msg_missing", "a\0b"):
        for side in ("before", "after"):
            with pytest.raises(ClawError) as raised:
                page(caller, **{side: cursor})
            assert raised.value.code == "message_not_found"


def test_p24_charlie_gets_404(foreign_caller, run):
    for name in ("abc", run.conversation_id):
        with pytest.raises(ClawError) as raised:
            page(foreign_caller, name=name)
        assert status_of(raised.value) == 404


def test_a_page_costs_the_same_however_long_it_is(caller, many, django_assert_num_queries):
    for limit in (1, 9):
        with django_assert_num_queries(3):
            page(caller, limit=limit)
    with django_assert_num_queries(4):
        page(caller, limit=50, before=many[5])


def test_what_a_watcher_may_not_see_is_not_in_the_history(caller, run):
    Message.objects.filter(pk=run.message_id).update(
        thinking="secret", tools=[TOOL], steps=[["secret"]]
    )
    nobody = visible(trusted=False, show_thinking=False, show_tools=False)
    answer = shown(read_messages(caller, "abc", Page(), nobody))["messages"][-1]
    assert "secret" not in str(answer)
    assert answer["tools"] == []
    seen = page(caller)["messages"][-1]
    assert (seen["thinking"], seen["tools"], "steps" in seen) == ("secret", [TOOL], False)


def test_a_page_ends_early_when_it_holds_enough_bytes(caller, run, monkeypatch):
    """P15: the cursor goes on where it ended, and a message that is larger has its own page."""
    monkeypatch.setattr(history, "MAX_PAGE_BYTES", 1000)
    texts = ["é" * 250, "b" * 500, "c" * 5000, "d" * 10]
    for text in texts:
        Message.objects.create(conversation=run.conversation, role="assistant", content=text)
    seen, pages, cursor = [], [], None
    while not pages or cursor:
        shown = page(caller, before=cursor)
        pages.append([message["content"] for message in shown["messages"]])
        seen, cursor = pages[-1] + seen, shown["nextCursor"]
    assert seen == ["Hello", "", *texts]
    assert [len(texts) for texts in pages] == [1, 1, 1, 3]
