"""`conversations.history.sharing`: a page for everybody, for a while."""

from datetime import timedelta

import pytest
from django.utils import timezone

from auditing.models import AuditEvent
from conversations.history import access, sharing
from conversations.models import Share
from engine.errors import ClawError
from tests.agents.callers import having, visitor_of
from tests.conversations.history.talks import talk


@pytest.fixture
def conversation(agent):
    return talk(agent, "Hello", owner="keys")


def test_it_works(caller, conversation):
    row, token = sharing.share(caller, conversation.id, 60)
    assert token not in str(vars(row)), "only a digest is kept"
    assert sharing.shared(token).conversation == conversation
    assert access.share_of(conversation) == row
    sharing.withdraw(caller, conversation.id)
    assert sharing.shared(token) is None and access.share_of(conversation) is None
    sharing.withdraw(caller, conversation.id)


def test_it_ends(caller, conversation):
    _, token = sharing.share(caller, conversation.id, 60)
    Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sharing.shared(token) is None and access.share_of(conversation) is None
    access.purge_shares()
    assert not Share.objects.exists()


def test_a_second_page_takes_the_place_of_the_first(caller, conversation):
    _, first = sharing.share(caller, conversation.id, 60)
    _, second = sharing.share(caller, conversation.id, 60)
    assert sharing.shared(first) is None
    assert sharing.shared(second) is not None


def test_it_goes_with_its_conversation(caller, conversation):
    _, token = sharing.share(caller, conversation.id, 60)
    conversation.delete()
    assert sharing.shared(token) is None


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 10_000])
def test_nonsense_is_no_address(conversation, token):
    assert sharing.shared(token) is None


def code(call, *arguments):
    with pytest.raises(ClawError) as raised:
        call(*arguments)
    return raised.value.code


def test_who_may_not_share(caller, foreign_caller, agent, conversation):
    theirs = talk(agent, "Hello", owner="visitor:v1")
    reader = having(caller, scopes={"conversations:read"})
    for call in (lambda *about: sharing.share(*about, 60), sharing.withdraw):
        assert code(call, reader, conversation.id) == "forbidden"
        assert code(call, visitor_of(caller, "visitor:v1"), theirs.id) == "forbidden"
        assert code(call, caller, theirs.id) == "conversation_not_found"
        assert code(call, foreign_caller, conversation.id) == "conversation_not_found"
        admin = having(caller, scopes={"conversations:write", "admin"})
        call(admin, theirs.id)


def test_sharing_and_its_end_are_in_the_audit_log(caller, conversation) -> None:
    sharing.share(caller, conversation.id, 60)
    sharing.withdraw(caller, conversation.id)
    sharing.withdraw(caller, conversation.id)  # there is nothing to withdraw any more
    rows = AuditEvent.objects.filter(action__startswith="conversation.").order_by("created_at")
    assert [(each.action, each.subject_id) for each in rows] == [
        ("conversation.shared", conversation.id),
        ("conversation.unshared", conversation.id),
    ]
