"""`console.agents.listing`: the organisation's agents, in a constant number of queries."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Agent
from metering.models import UsageHour
from metering.recording import hour_of

LIST = "/console/acme/agents/"


def test_it_works(client, alice, agent, foreign_agent):
    client.force_login(alice)
    page = client.get(LIST).content.decode()
    assert "Helper" in page and "Spy" not in page


def test_without_agents_it_says_what_one_is(client, alice):
    client.force_login(alice)
    assert "No agents yet" in client.get(LIST).content.decode()


def test_a_search_finds_a_part_of_a_name(client, alice, agent):
    client.force_login(alice)
    assert "Helper</a>" in client.get(LIST, {"q": "elp"}).content.decode()
    assert "Helper</a>" not in client.get(LIST, {"q": "other"}).content.decode()


def test_the_runs_and_errors_of_two_weeks_are_drawn(client, alice, acme, agent):
    now = hour_of(timezone.now())
    for hour, runs, failed in ((now, 6, 2), (now - 24, 4, 0), (now - 20 * 24, 99, 99)):
        UsageHour.objects.create(
            organization=acme, hour=hour, agent_id=agent.id, completed=runs, failed=failed
        )
    client.force_login(alice)
    page = client.get(LIST).content.decode()
    assert 'aria-label="12 runs and 2 errors in 14 days"' in page
    assert page.count('<rect class="failed"') == 1


def test_the_number_of_queries_does_not_grow(client, alice, acme, agent):
    client.force_login(alice)
    client.get(LIST)
    counts = []
    for turn in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
        counts.append(len(asked))
        rows = [Agent(organization=acme, slug=f"a{turn}{n}", name="A") for n in range(30)]
        Agent.objects.bulk_create(rows)
    assert counts[0] == counts[1] <= 12
