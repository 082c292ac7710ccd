"""`console.conversations.shared`: anybody reads what was said, and nothing else."""

import pytest

from conversations.history import sharing
from conversations.history.access import last_position
from tests.agents.callers import having
from tests.conversations.conftest import caller  # noqa: F401
from tests.conversations.history.talks import say, talk

TOOL = {"id": "call_1", "tool": "look_up", "args": {"q": "x"}, "result": {"found": 1}}


@pytest.fixture
def conversation(agent):
    return talk(agent, "How are you?", "**Fine.**", title="Health", thinking="Hm", tools=[TOOL])


@pytest.fixture
def address(caller, conversation):  # noqa: F811
    by = having(caller, scopes={"conversations:write", "admin"})
    return f"/shared/{sharing.share(by, conversation.id, 60)[1]}/"


def test_it_works(client, address):
    answer = client.get(address)
    page = answer.content.decode()
    assert answer.status_code == 200
    for shown in ("Health", "How are you?", "**Fine.**", "Helper"):
        assert shown in page
    for hidden in ("look_up", "Hm", "visitor:", "conv_"):
        assert hidden not in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]


def test_what_is_said_later_is_not_on_it(client, address, conversation):
    say(conversation, "And now?", "Later.")
    page = client.get(address).content.decode()
    assert "And now?" not in page and "Later." not in page


def test_a_long_one_has_pages(client, address, conversation, monkeypatch):
    for number in range(3):
        say(conversation, f"Question {number}?")
    conversation.share.until = last_position(conversation)
    conversation.share.save()
    monkeypatch.setattr("conversations.history.page.MAX_LIMIT", 4)
    first = client.get(address).content.decode()
    assert "Question 0?" in first and "Question 1?" not in first
    further = first.split("?after=")[1].split('"')[0]
    rest = client.get(f"{address}?after={further}").content.decode()
    assert "Question 2?" in rest and "Question 0?" not in rest and "?after=" not in rest


def test_what_people_say_is_not_markup(client, address, conversation):
    conversation.message_set.update(content="<script>alert(1)</script>")
    assert "<script>alert" not in client.get(address).content.decode()


@pytest.mark.parametrize("path", ["/shared/nonsense/", "/shared/%00/", "{}?after=x", "{}?after=-1"])
def test_anything_else_is_not_there(client, address, path):
    assert client.get(path.format(address)).status_code == 404
