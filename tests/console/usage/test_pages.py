"""`console.usage.pages`: numbers, charts and tables of the last days."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metering.recording import record
from tests.metering.ended import ended


@pytest.fixture
def page(client, alice):
    """`page(query)`: the page as alice sees it."""
    client.force_login(alice)

    def look(query: str = "") -> str:
        answer = client.get(f"/console/acme/usage/{query}")
        assert answer.status_code == 200
        return str(answer.content.decode())

    return look


def used(agent, days_ago=0, **fields):
    then = timezone.now() - timedelta(days=days_ago)
    record([ended(agent.organization_id, agent_id=agent.id, created_at=then, **fields)])


def test_it_works(page, agent, foreign_agent):
    used(agent)
    used(agent, days_ago=40)
    used(foreign_agent, usage={"inputTokens": 4321})
    shown = page()
    assert "<b>15</b>" in shown and "<b>$0.25</b>" in shown
    assert "0 % to the time before" in shown
    assert f"<td>{agent.name}</td>" in shown
    assert "4,321" not in shown


def test_it_teaches_where_there_is_nothing(page):
    assert "Nothing was used in this time" in page()


@pytest.mark.parametrize(
    ("group", "shown"),
    [("model", "demo · demo"), ("key", "Without a key"), ("day", timezone.now().strftime("%b %Y"))],
)
def test_the_table_has_groups(page, agent, group, shown):
    used(agent)
    assert f"{shown}</td>" in page(f"?groupBy={group}")


def test_what_is_not_understood_has_its_default(page, agent):
    used(agent, days_ago=29)
    assert "<b>15</b>" in page("?groupBy=mood&days=x")


def test_an_agent_that_was_deleted_keeps_its_numbers(page, agent):
    used(agent)
    name = f"{agent.id} (deleted)"
    agent.delete()
    assert name in page()


def test_days_are_those_of_the_organisation(page, acme, agent):
    acme.time_zone = "Pacific/Kiritimati"
    acme.save()
    used(agent)
    assert "midnight in Pacific/Kiritimati" in page()


def test_the_number_of_queries_does_not_grow(page, agent):
    page()
    counts = []
    for turn in range(2):
        with CaptureQueriesContext(connection) as asked:
            page()
        counts.append(len(asked))
        for number in range(10):
            used(agent, model=f"m{turn}{number}", days_ago=number)
    assert counts[0] == counts[1] <= 22
