"""`console.conversations.pages`: what was said to the organisation's agents, found and read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Message
from tests.conversations.history.talks import talk

LIST = "/console/acme/conversations/"


@pytest.fixture
def signed_in(client, alice):
    """Alice looks at the console."""
    client.force_login(alice)
    return client


def found(client, **search):
    return [each.began for each, _ in client.get(LIST, search).context["conversations"]]


def test_it_works(signed_in, agent, foreign_agent):
    said = talk(agent, "How are you?", thinking="Politely", tools=[TOOL])
    talk(foreign_agent, "Secret?")
    assert found(signed_in) == ["How are you?"]
    page = signed_in.get(f"{LIST}{said.id}/").content.decode()
    for shown in ("How are you?", "Fine.", "Politely", "look_up", "visitor:v1", "Visitor v1"):
        assert shown in page


TOOL = {"id": "call_1", "tool": "look_up", "args": {"q": "x"}, "result": {"found": 1}}


@pytest.mark.parametrize(
    ("search", "wanted"),
    [
        ({"q": "apples"}, ["Any apples?"]),
        ({"q": "green"}, ["Any apples?"]),
        ({"q": "plums"}, []),
        ({"by": "key"}, ["Any pears?"]),
        ({"visitor": "anon:v1"}, ["Any apples?"]),
        ({"agent": "helper", "by": "visitor"}, ["Any apples?"]),
        ({"from": "2999-01-01"}, []),
        ({"to": "2001-01-01"}, []),
        ({"from": "nonsense", "by": "key"}, ["Any pears?"]),
    ],
)
def test_a_search_and_filters(signed_in, agent, search, wanted):
    talk(agent, "Any apples?", "Green ones.")
    talk(agent, "Any pears?", owner="keys")
    assert found(signed_in, **search) == wanted


def test_what_people_say_is_not_markup(signed_in, agent):
    said = talk(agent, "<script>alert(1)</script>", "<img src=x>")
    page = signed_in.get(f"{LIST}{said.id}/").content.decode()
    assert "<script>alert" not in page and "<img src=x" not in page


def test_without_conversations_it_says_what_will_be_here(signed_in):
    assert "No conversations yet" in signed_in.get(LIST).content.decode()


def test_a_run_has_a_page_to_replay_it(signed_in, agent, foreign_agent):
    run, foreign = (talk(each, "Hello").run_set.get() for each in (agent, foreign_agent))
    page = signed_in.get(f"/console/acme/runs/{run.id}/").content.decode()
    assert f'data-replay="/api/runs/{run.id}"' in page
    assert signed_in.get(f"/console/acme/runs/{foreign.id}/").status_code == 404


@pytest.mark.parametrize("path", ["", "one"])
def test_the_number_of_queries_does_not_grow(signed_in, agent, path):
    said = talk(agent, "First?")
    where = f"{LIST}{said.id}/" if path else LIST
    signed_in.get(where)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            signed_in.get(where)
        counts.append(len(asked))
        for number in range(5):
            talk(agent, f"Question {number}?")
            Message.objects.create(conversation=said, role="user", content="More")
    assert counts[0] == counts[1] <= 15
