"""`console.settings.retention`: how long conversations are kept."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Organization
from auditing.models import AuditEvent
from conversations.models import Conversation
from tests.conversations.history.talks import talk

PAGE = "/console/acme/settings/retention/"


@pytest.fixture
def signed_in(client, alice, agent):
    """Alice looks at the console; a conversation is 40 days old."""
    old = talk(agent, "Long ago")
    last = timezone.now() - timedelta(days=40)
    Conversation.objects.filter(pk=old.pk).update(last_message_at=last)
    client.force_login(alice)
    return client


def kept():
    return Organization.objects.get(name="Acme").retention_days


def test_it_works(signed_in):
    assert "All conversations are kept" in signed_in.get(PAGE).content.decode()
    signed_in.post(PAGE, {"days": "30"})
    assert kept() == 30
    assert "for 30 days are deleted" in signed_in.get(PAGE).content.decode()
    event = AuditEvent.objects.filter(action="organization.changed").get()
    assert event.after == {"retention_days": 30}
    signed_in.post(PAGE, {"days": ""})
    assert kept() is None


@pytest.mark.parametrize(("days", "count"), [("30", 1), ("50", 0)])
def test_it_shows_what_would_go_and_saves_nothing(signed_in, days, count):
    page = signed_in.post(PAGE, {"days": days, "preview": "1"})
    assert page.context["going"]["conversations"] == count
    assert kept() is None and Conversation.objects.count() == 1


@pytest.mark.parametrize("days", ["0", "-1", "3651", "x", "9" * 30])
def test_impossible_days_are_refused_and_stay_in_the_form(signed_in, days):
    page = signed_in.post(PAGE, {"days": days}).content.decode()
    assert "errorlist" in page and f'value="{days}"' in page
    assert kept() is None
