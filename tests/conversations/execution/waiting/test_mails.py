"""`conversations.execution.waiting.mails`: who may decide is told of calls that wait long."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Membership, Organization, User
from agents.caller import Caller
from conversations.access import reminders
from conversations.execution.waiting.mails import ApprovalMails
from conversations.models import Decision
from core.database import database_step
from tests.conversations.execution.waiting.paying import Bank, pay


@pytest.fixture
def acme(acme: Organization) -> Organization:
    """Its members, and a viewer, with mails after 60 seconds."""
    for role in ("member", "viewer"):
        user = User.objects.create_user(f"{role}@example.com", "correct horse")
        Membership.objects.create(organization=acme, user=user, role=role)
    acme.approval_mail_seconds = 60
    acme.save()
    return acme


async def age(seconds: int) -> None:
    """Let all calls have waited so long already."""
    past = timezone.now() - timedelta(seconds=seconds)
    await database_step(Decision.objects.update, requested_at=past)


async def sweep() -> list[str]:
    """The addresses that were written to."""
    mail.outbox.clear()
    await ApprovalMails().sweep()
    return sorted(sent.to[0] for sent in mail.outbox)


async def test_b2_a_mail_comes_if_it_still_waits_and_once(
    acme: Organization, alice: User, bank: Bank, caller: Caller
) -> None:
    await bank.run(caller, pay(), pay("toolu_2"))
    assert await sweep() == []  # it waits for less than a minute
    await age(61)
    told = await sweep()
    assert alice.email in told and "member@example.com" in told
    assert "viewer@example.com" not in told
    sent = mail.outbox[0]
    assert sent.subject == f"2 tool calls in {acme.name} wait for approval"
    assert "pay" in sent.body and f"/console/{acme.slug}/approvals/" in sent.body
    assert "Bob" not in sent.body  # nothing of the arguments
    assert await sweep() == []


async def test_b2_what_is_decided_sends_nothing(
    acme: Organization, bank: Bank, caller: Caller, approver: Caller
) -> None:
    run = await bank.run(caller, pay())
    await age(61)
    await bank.decide(approver, run, "toolu_1")
    assert await sweep() == []


async def test_b2_mails_are_rare_however_much_waits(
    acme: Organization, bank: Bank, caller: Caller
) -> None:
    await bank.run(caller, pay(), name="a")
    await age(61)
    assert await sweep()
    await bank.run(caller, pay(), name="b")
    await age(61)
    assert await sweep() == []
    earlier = timezone.now() - reminders.GAP
    await database_step(Organization.objects.update, approval_mailed_at=earlier)
    assert await sweep()


async def test_who_does_not_ask_for_it_gets_none(
    acme: Organization, bank: Bank, caller: Caller
) -> None:
    await database_step(Organization.objects.update, approval_mail_seconds=None)
    await bank.run(caller, pay())
    await age(10_000)
    assert await sweep() == []
