"""`console.alerts.pages`: rules are made and changed, alerts are shown."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from alerts.access import due, rules
from alerts.models import AlertRule

PAGE = "/console/acme/alerts/"
NEW = {
    **{"name": "Errors", "metric": "error_rate", "comparison": "above", "threshold": "0.05"},
    **{"window_seconds": "300", "for_seconds": "0", "severity": "critical", "enabled": "on"},
}


def shown(client, alice) -> str:
    client.force_login(alice)
    return str(client.get(PAGE).content.decode())


def test_it_works(client, alice, acme, agent):
    assert "No alert rules yet" in shown(client, alice)
    given = NEW | {"emails": "ada@example.com\r\nbob@example.com", "agents": [agent.id]}
    assert client.post(f"{PAGE}new/", given).url == PAGE
    rule = AlertRule.objects.get()
    assert (rule.emails, rule.agents) == (["ada@example.com", "bob@example.com"], [agent.id])
    assert "&gt; 5 %" in shown(client, alice) and "2 by mail" in shown(client, alice)
    due.settle(rule, 0.25)
    page = shown(client, alice)
    assert "25 %" in page and ">Now<" in page
    assert client.post(f"{PAGE}{rule.pk}/", NEW | {"threshold": "0.5"}).url == PAGE
    due.settle(AlertRule.objects.get(), 0)
    assert ">History<" in shown(client, alice)
    form = client.get(f"{PAGE}{rule.pk}/").content.decode()
    assert 'value="0.5"' in form and "Delete rule" in form


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(client, alice):
    client.force_login(alice)
    page = client.post(f"{PAGE}new/", NEW | {"emails": "ada", "name": "Mine"}).content.decode()
    assert "One of these is no e-mail address." in page and 'value="Mine"' in page
    assert not AlertRule.objects.exists()


def test_a_viewer_reads_and_changes_nothing(client, alice, bob, acme):
    Membership.objects.filter(user=bob).update(role=Membership.Role.VIEWER)
    rule = rules.create(acme.pk, {"name": "Mine", "metric": "cost", "threshold": 1})
    page = shown(client, bob)
    assert "Mine" in page and "New rule" not in page
    assert client.post(f"{PAGE}new/", NEW).status_code == 403
    assert client.get(f"{PAGE}{rule.pk}/").status_code == 403


def test_rules_of_others_are_not_found(client, alice, globex):
    rule = rules.create(globex.pk, {"name": "Theirs", "metric": "cost", "threshold": 1})
    assert "Theirs" not in shown(client, alice)
    assert client.get(f"{PAGE}{rule.pk}/").status_code == 404


def test_the_number_of_queries_does_not_grow(client, alice, acme):
    counts = []
    for _ in range(2):
        for _ in range(5):
            rules.create(acme.pk, {"name": "Mine", "metric": "cost", "threshold": 1})
        shown(client, alice)
        with CaptureQueriesContext(connection) as asked:
            shown(client, alice)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 25
