"""`console.overview`: the checklist ticks itself off."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent


def done(client) -> list[bool]:
    steps = client.get("/console/acme/").context["first_steps"].steps
    return [step.done for step in steps]


def test_it_works(client, alice):
    client.force_login(alice)
    assert done(client) == [False] * 5


def test_what_is_made_is_ticked_off(client, alice, key):
    client.force_login(alice)
    assert done(client) == [True, False, True, False, False]


def test_the_others_are_not_counted(client, alice, foreign_key):
    client.force_login(alice)
    assert done(client) == [False] * 5


def test_the_number_of_queries_does_not_grow(client, alice, acme):
    client.force_login(alice)
    client.get("/console/acme/")

    counts = []
    for turn in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get("/console/acme/")
        counts.append(len(asked))
        for number in range(10):
            Agent.objects.create(organization=acme, slug=f"a{turn}{number}", name="A")
    assert counts[0] == counts[1] <= 17
