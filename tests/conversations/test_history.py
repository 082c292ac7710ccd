"""`conversations.history`: messages as clients see them, a page at a time."""

import pytest

from accounts.http import Page
from conversations import access
from conversations.history import conversation_object, message_object, read_messages
from conversations.models import Message, Run
from engine.errors import ClawError
from engine.visibility import visible
from tests.conversations.parts import ask

ALL = visible(trusted=True, show_thinking=True, show_tools=True)


@pytest.fixture
def run(caller) -> Run:
    return ask(caller, "Hello", conversation_id="abc", client_message_id="m-1").run


def page(caller, *, name: str = "abc", **fields) -> dict:
    return read_messages(caller, name, Page(**fields), ALL)


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
    Run.objects.update(status=of_run)

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
        assert raised.value.status == 404


def test_a_page_costs_the_same_however_long_it_is(caller, many, django_assert_num_queries):
    for limit in (1, 9):
        with django_assert_num_queries(2):
            page(caller, limit=limit)
    with django_assert_num_queries(3):
        page(caller, limit=50, before=many[5])


def test_what_a_watcher_may_not_see_is_not_in_the_history(caller, run):
    Message.objects.filter(pk=run.message_id).update(
        thinking="secret", tools=[{"id": "t"}], steps=[["secret"]]
    )
    nobody = visible(trusted=False, show_thinking=False, show_tools=False)
    answer = read_messages(caller, "abc", Page(), nobody)["messages"][-1]
    assert "secret" not in str(answer)
    assert answer["tools"] == []
    seen = page(caller)["messages"][-1]
    assert (seen["thinking"], seen["tools"], "steps" in seen) == ("secret", [{"id": "t"}], False)


def test_a_conversation_is_shown_by_the_name_it_was_given(caller, run):
    shown = conversation_object(access.conversation(caller, "abc"))
    assert (shown["id"], shown["agentId"], shown["title"]) == ("abc", caller.agent.id, "Hello")
    assert shown["createdAt"] <= shown["lastMessageAt"]


def test_an_object_needs_no_query(run, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert message_object(run.message, "run_1")["runId"] == "run_1"
