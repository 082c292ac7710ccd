"""`manage.py purge`: what has expired goes, and nothing else."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Organization, RememberedRequest
from agents.models import Agent
from auditing.models import AuditEvent
from conversations.access.retention import preview
from conversations.models import Conversation, Message, Run, RunStatus
from tests.commands import result

NOTHING = {"requests": 0, "sessions": 0, "tickets": 0, "conversations": 0}


def conversation(agent: Agent, *, days: int, status: RunStatus = RunStatus.COMPLETED) -> str:
    """One with a run, whose last message is so many days old."""
    made = Conversation.objects.create(
        organization=agent.organization, agent=agent, owner="keys", title="old"
    )
    asked, answer = (
        Message.objects.create(conversation=made, role=role) for role in ("user", "assistant")
    )
    Run.objects.create(
        organization=agent.organization,
        agent=agent,
        conversation=made,
        user_message=asked,
        message=answer,
        owner="keys",
        fingerprint="",
        status=status,
        provider="demo",
        model="demo",
    )
    last = timezone.now() - timedelta(days=days)
    Conversation.objects.filter(pk=made.pk).update(last_message_at=last)
    return made.pk


@pytest.mark.django_db
def test_it_works(acme) -> None:
    now = timezone.now()
    for name, age in (("old", 25), ("new", 23)):
        RememberedRequest.objects.create(
            organization=acme, sender="key", name=name, created_at=now - timedelta(hours=age)
        )
        expires = now - timedelta(hours=age - 24)
        Session.objects.create(session_key=name, session_data="", expire_date=expires)

    assert result("purge") == NOTHING | {"requests": 1, "sessions": 1}
    assert RememberedRequest.objects.get().name == "new"
    assert Session.objects.get().session_key == "new"
    assert result("purge") == NOTHING


def test_conversations_go_only_when_it_is_said(agent) -> None:
    old, new = conversation(agent, days=91), conversation(agent, days=89)

    assert result("purge") == NOTHING
    assert result("purge", "--conversations", "90d") == NOTHING | {"conversations": 1}
    assert [row.pk for row in Conversation.objects.all()] == [new]
    assert not Message.objects.filter(conversation=old).exists()
    assert not Run.objects.filter(conversation=old).exists()


def test_each_organisation_keeps_conversations_as_long_as_it_says(agent, foreign_agent) -> None:
    old, new = conversation(agent, days=31), conversation(agent, days=29)
    conversation(agent, days=31, status=RunStatus.WAITING)
    foreign = conversation(foreign_agent, days=900)
    Organization.objects.filter(pk=agent.organization_id).update(retention_days=30)

    assert preview(agent.organization_id, 30)["conversations"] == 1
    assert result("purge") == NOTHING | {"conversations": 1}
    kept = {row.pk for row in Conversation.objects.all()}
    assert old not in kept and {new, foreign} < kept
    event = AuditEvent.objects.get(action="retention.applied")
    assert (event.organization_id, event.actor_kind) == (agent.organization_id, "operator")
    assert event.after == {"conversations": 1, "retention_days": 30}
    assert result("purge") == NOTHING


def test_a_conversation_in_which_something_happens_stays(agent) -> None:
    conversation(agent, days=91, status=RunStatus.RUNNING)

    assert result("purge", "--conversations", "90d") == NOTHING
