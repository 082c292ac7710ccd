"""`agents.api.organization.invitations`: an address is invited by mail, or not at all."""

import json

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from accounts import members
from accounts.models import Invitation, User
from agents.api.organization import invitations
from core.database import database_step
from engine.errors import ClawError
from tests.accounts.invited import invited
from tests.agents.api import request
from tests.agents.api.organization.people import key_of, member_of

BODY = {"email": "Dora@example.com", "role": "viewer"}


@pytest.fixture
def by(acme):
    return member_of(acme, "admin")


def shown(answer):
    return json.loads(answer.content)


async def test_it_works(by, acme):
    answer = await invitations.create(request(BODY), by)
    made = shown(answer)
    assert (answer.status_code, made["email"], made["role"]) == (201, "dora@example.com", "viewer")
    (sent,) = mail.outbox
    code = sent.body.rpartition("/invitations/")[2].strip("/\n")
    assert sent.to == ["dora@example.com"] and code not in answer.content.decode()
    dora = await database_step(User.objects.create_user, "dora@example.com", "correct horse")
    assert (await database_step(members.accept, code, dora)).organization == acme


async def test_listed_and_withdrawn(by, acme, globex):
    foreign, _ = await database_step(invited, globex, "eve@example.com", "viewer")
    made = shown(await invitations.create(request(BODY), by))
    listed = shown(await database_step(invitations.index, request(), by))
    assert listed == {"invitations": [made], "nextCursor": None}
    for name in (foreign.id, "inv_unknown", "\0"):
        with pytest.raises(ClawError, match="no such invitation"):
            await database_step(invitations.remove, request(), by, name)
    await database_step(invitations.remove, request(), by, made["id"])
    assert [each.id for each in await database_step(list, Invitation.objects.all())] == [foreign.id]


class Away(BaseEmailBackend):
    """A mail server that nobody reaches."""

    def send_messages(self, messages):
        raise TimeoutError


async def test_where_no_mail_can_be_sent_nothing_changes(by, settings):
    first = shown(await invitations.create(request(BODY), by))
    settings.EMAIL_BACKEND = f"{__name__}.Away"
    with pytest.raises(ClawError) as raised:
        await invitations.create(request({**BODY, "role": "admin"}), by)
    assert raised.value.code == "unavailable" and raised.value.retry_after
    kept = shown(await database_step(invitations.index, request(), by))["invitations"]
    assert kept == [first], "its link still works"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": "dora@example.com\nBcc: eve@example.com"}, "email"),
        ({"email": "dora@example.com", "role": "king"}, "role"),
        ({"role": "viewer"}, "email"),
        ({"email": "admin@acme.example"}, "email"),
    ],
)
async def test_nonsense_is_not_invited(by, body, field):
    with pytest.raises(ClawError) as raised:
        await invitations.create(request(body), by)
    assert raised.value.details == {"field": field}
    assert mail.outbox == []


async def test_who_may_not_is_refused_before_the_body_is_read(acme, agent):
    for caller in (
        await database_step(member_of, acme, "member"),
        await database_step(key_of, acme, "keys:write"),
    ):
        with pytest.raises(ClawError, match="scope") as raised:
            await invitations.create(request({"email": 7}), caller)
        assert raised.value.code == "forbidden"


async def test_only_an_owner_invites_owners(by):
    with pytest.raises(ClawError, match="Only an owner"):
        await invitations.create(request({**BODY, "role": "owner"}), by)
