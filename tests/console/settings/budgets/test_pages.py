"""`console.settings.budgets.pages`: budgets are set, shown with what is left, and changed."""

from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.usage import spending
from conversations.usage.spending import Spent
from metering.models import Budget

PAGE = "/console/acme/settings/budgets/"
NEW = {"target": "organization:", "limit": "5", "unit": "amount", "soft_percent": "80"}


def shown(client, alice) -> str:
    client.force_login(alice)
    return str(client.get(PAGE).content.decode())


def test_it_works(client, alice, agent):
    assert "No budgets yet" in shown(client, alice)
    given = NEW | {"target": f"agent:{agent.id}", "period": "total", "hard": "on"}
    assert client.post(f"{PAGE}new/", given).url == PAGE
    budget = Budget.objects.get()
    assert (budget.target_id, budget.amount, budget.hard) == (agent.id, Decimal(5), True)

    spending.book({(budget.pk, "total"): Spent(Decimal("4.50"))})
    page = shown(client, alice)
    assert "$5.00 in all" in page and "$4.50" in page and "nearly used up" in page
    assert f"Agent {agent.name}" in page

    changed = {"limit": "9000", "unit": "tokens", "soft_percent": "50"}
    client.post(f"{PAGE}{budget.pk}/", changed)
    assert "9,000 tokens in all" in shown(client, alice)
    assert "only warns" in shown(client, alice)


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(client, alice):
    client.force_login(alice)
    given = NEW | {"unit": "tokens", "limit": "2.5", "period": "day"}
    page = client.post(f"{PAGE}new/", given).content.decode()
    assert "A number of tokens is whole." in page and 'value="2.5"' in page
    assert not Budget.objects.exists()


def test_targets_of_others_cannot_be_chosen(client, alice, foreign_agent, foreign_key):
    client.force_login(alice)
    for target in (f"agent:{foreign_agent.id}", f"key:{foreign_key[0].id}"):
        assert client.post(f"{PAGE}new/", NEW | {"target": target}).status_code == 200
    assert not Budget.objects.exists()


def test_the_number_of_queries_does_not_grow(client, alice, acme):
    Budget.objects.create(organization=acme, scope="organization", tokens=5)
    shown(client, alice)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            shown(client, alice)
        counts.append(len(asked))
        for _ in range(10):
            Budget.objects.create(organization=acme, scope="organization", tokens=5)
    assert counts[0] == counts[1] <= 25
