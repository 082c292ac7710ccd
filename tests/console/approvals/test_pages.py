"""`console.approvals.pages`: what waits, exactly; what is always allowed; the number of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, User
from approvals.models import StandingApproval
from conversations.models import Conversation, Decision, Message, Run

PAGE = "/console/acme/approvals/"
ALWAYS = f"{PAGE}always/"


@pytest.fixture
def run(agent) -> Run:
    """A run that waits."""
    talk = Conversation.objects.create(
        organization=agent.organization, agent=agent, owner="visitor:a", title="An invoice"
    )
    asked = Message.objects.create(conversation=talk, role="user", content="Pay it")
    answer = Message.objects.create(conversation=talk, role="assistant", status="waiting")
    return Run.objects.create(
        organization=agent.organization,
        agent=agent,
        conversation=talk,
        user_message=asked,
        message=answer,
        owner=talk.owner,
        status="waiting",
    )


def wait(run: Run, id: str, **fields) -> Decision:
    """A call that waits."""
    return Decision.objects.create(
        organization=run.organization,
        run=run,
        kind=Decision.Kind.APPROVAL,
        call_id=id,
        tool="pay",
        digest=f"sha256:{id}",
        **{
            "args": {"to": "Müller", "amount": None},
            "expires_at": timezone.now() + timedelta(hours=1),
        }
        | fields,
    )


def test_b2_it_shows_exactly_what_waits_and_how_many(client, alice, run):
    client.force_login(alice)
    assert "Nothing waits" in client.get(PAGE).content.decode()
    wait(run, "toolu_1")
    wait(run, "toolu_2", args={"to": "<script>"})
    wait(run, "toolu_3", expires_at=timezone.now() - timedelta(seconds=1))
    page = client.get(PAGE).content.decode()
    assert "&quot;to&quot;: &quot;Müller&quot;" in page and "&quot;amount&quot;: null" in page
    assert "&lt;script&gt;" in page and 'data-digest="sha256:toolu_1"' in page
    assert "toolu_3" not in page
    assert 'data-waiting>2<span class="unseen"> waiting</span>' in page


def test_the_number_is_on_every_page_and_goes_with_the_run(client, alice, run):
    client.force_login(alice)
    wait(run, "toolu_1")
    assert "data-waiting>1<" in client.get("/console/acme/").content.decode()
    run.stop = {}
    run.save()
    assert "data-waiting" not in client.get("/console/acme/").content.decode()


def test_b2_what_is_always_allowed_is_listed(client, alice, acme, agent, run):
    client.force_login(alice)
    assert "Everything asks" in client.get(ALWAYS).content.decode()
    membership = Membership.objects.get(organization=acme, user=alice)
    common = {
        "organization": acme,
        "agent": agent,
        "pinned": "0" * 64,
        "created_at": timezone.now(),
    }
    rule = StandingApproval.objects.create(
        **common, tool="pay", by_kind="member", by_id=membership.id
    )
    StandingApproval.objects.create(
        **common, tool="send", conversation=run.conversation, by_kind="visitor", by_id="x"
    )
    page = client.get(ALWAYS).content.decode()
    assert alice.email in page and "everywhere" in page and "An invoice" in page
    assert f'action="/api/standing-approvals/{rule.id}"' in page


def test_of_others_nothing_is_shown(client, charlie, run):
    wait(run, "toolu_1")
    client.force_login(charlie)
    assert client.get(PAGE).status_code == 404
    assert "toolu_1" not in client.get("/console/globex/approvals/").content.decode()


@pytest.mark.parametrize(("role", "status"), [("member", 200), ("viewer", 403)])
def test_roles(client, acme, role, status):
    user = User.objects.create_user("some@example.com", "correct horse")
    Membership.objects.create(organization=acme, user=user, role=role)
    client.force_login(user)
    assert [client.get(page).status_code for page in (PAGE, ALWAYS)] == [status, status]
