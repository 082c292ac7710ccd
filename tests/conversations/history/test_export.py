"""`conversations.history.export`: the same conversation in three formats."""

import csv
import io
import json

import pytest

from conversations.history.export import COLUMNS, EXPORTS
from conversations.history.page import next_messages
from conversations.models import Message
from tests.conversations.history.talks import say, talk
from wire.visibility import EVERYTHING

USAGE = {
    **{"inputTokens": 5, "outputTokens": 2, "totalTokens": 7, "cost": 0.5, "model": "m"},
    **{"latencyMs": 1, "ttftMs": 1, "tokensPerSecond": 1.0, "source": "provider"},
    **{"cacheReadTokens": 0, "cacheWriteTokens": 0, "reasoningTokens": 0},
}


@pytest.fixture
def conversation(agent):
    said = talk(agent, "=1+1\n\"quoted\", 'x'", "# Two\nlines", title="A # title\nof two lines")
    run = say(said, "Again?", "Sí — 退款", usage=USAGE, rating="up", comment="-good")
    said.last_run = run
    return said


def exported(conversation, ending):
    form = EXPORTS[ending]()
    pieces, position = [form.begin(conversation)], 0
    while position is not None:
        messages, position = next_messages(conversation, position, EVERYTHING)
        pieces.append(form.add(messages))
    return "".join([*pieces, form.end()])


def test_it_works(conversation):
    whole = json.loads(exported(conversation, "json"))
    assert whole["conversation"]["id"] == conversation.id
    assert [each["content"] for each in whole["messages"]][1:] == [
        *("# Two\nlines", "Again?", "Sí — 退款")
    ]
    assert whole["messages"][3]["usage"]["outputTokens"] == 2


def test_a_table(conversation):
    rows = list(csv.DictReader(io.StringIO(exported(conversation, "csv"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["role"] for row in rows] == ["user", "assistant"] * 2
    assert rows[1]["content"] == "# Two\nlines"
    last = rows[3]
    assert (last["outputTokens"], last["cost"], last["model"]) == ("2", "0.5", "m")
    assert (last["rating"], last["runId"]) == ("up", conversation.last_run.pk)


def test_no_cell_is_a_formula(conversation):
    rows = list(csv.DictReader(io.StringIO(exported(conversation, "csv"), newline="")))
    assert rows[0]["content"] == "'=1+1\n\"quoted\", 'x'"
    assert rows[3]["comment"] == "'-good"
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_a_text_to_read(conversation):
    text = exported(conversation, "md")
    assert text.startswith("# A # title of two lines\n\nWith Helper, begun 20")
    assert text.count("\n## User, ") == text.count("\n## Helper, ") == 2
    assert text.endswith("\nSí — 退款\n")


@pytest.mark.parametrize("ending", EXPORTS)
def test_an_empty_conversation(conversation, ending):
    conversation.last_run.delete()
    conversation.message_set.all().delete()
    assert exported(conversation, ending)


def test_many_messages_come_in_pages(conversation, monkeypatch):
    monkeypatch.setattr("conversations.history.page.MAX_LIMIT", 3)
    whole = json.loads(exported(conversation, "json"))
    assert len(whole["messages"]) == 4
    for ending in EXPORTS:
        assert "退款" in exported(conversation, ending)


def test_a_text_names_the_page_of_a_question(agent):
    conversation = talk(agent, "What is this?", "A boot.")
    page = {"title": "Boots\n# 4", "url": "https://shop.example/"}
    Message.objects.filter(conversation=conversation, role="user").update(context=page)
    assert "\nOn the page: Boots # 4\n\nWhat is this?\n" in exported(conversation, "md")
    assert json.loads(exported(conversation, "json"))["messages"][0]["context"] == page
