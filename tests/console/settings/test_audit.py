"""`console.settings.audit`: the log as a page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from auditing.recording import record

PAGE = "/console/acme/settings/audit/"


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return lambda query="": str(client.get(PAGE + query).content.decode())


def test_it_works(page, agent, foreign_agent):
    agent.name = "Butler"
    agent.save()
    shown = page()
    assert "<code>agent.changed</code>" in shown
    assert "<del>Helper</del> <ins>Butler</ins>" in shown
    assert "member.signed_in" in shown and "spy" not in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?action=agent", True),
        ("?action=key", False),
        ("?q=helper", True),
        ("?q=nobody", False),
        ("?from=2020-01-01", True),
        ("?to=2020-01-01", False),
        ("?from=never&action=key", True),
    ],
)
def test_it_is_filtered(page, agent, query, found):
    assert ("<code>agent.created</code>" in page(query)) == found


def test_the_number_of_queries_does_not_grow(page, acme):
    page()
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            page()
        counts.append(len(asked))
        for number in range(20):
            record(acme.pk, "key.changed", subject_id=f"key_{number}", before={"name": "a"})
    assert counts[0] == counts[1] <= 20


def test_what_was_written_by_others_is_no_markup(page, acme):
    Agent.objects.create(organization=acme, slug="x", name="<b>bold</b>", provider="demo")
    assert "<b>bold</b>" not in page()
