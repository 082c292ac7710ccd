"""`conversations.admin`: the operator looks at what was said, and changes nothing."""

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.access import erasing
from conversations.models import Conversation, Decision, Message, Run
from tests.conversations.parts import ask

MODELS = (Conversation, Message, Run)


@pytest.fixture
def operator(client, transactional_db):
    """A browser in which an operator is logged in."""
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


def address(model, page: str, *arguments) -> str:
    return reverse(
        f"admin:conversations_{model._meta.model_name}_{page}", args=map(quote, arguments)
    )


@pytest.mark.parametrize("model", MODELS)
def test_it_works(operator, caller, model):
    run = ask(caller, "Hello", conversation_id="abc").run

    for search in ("", "abc", run.pk, "helper"):
        assert operator.get(address(model, "changelist"), {"q": search}).status_code == 200
    page = operator.get(address(model, "change", model.objects.first().pk))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


def test_what_waits_for_a_decision_is_listed_and_nobody_decides_here(operator, caller):
    run = ask(caller, "Hello").run
    row = Decision.objects.create(
        organization_id=run.organization_id,
        run=run,
        kind=Decision.Kind.APPROVAL,
        call_id="call_1",
        tool="book_room",
        args={"room": 1},
        digest="sha256:00",
        expires_at=timezone.now(),
    )
    page = operator.get(address(Decision, "changelist"), {"q": "book", "status__exact": "pending"})
    assert page.context["cl"].result_count == 1
    shown = operator.get(address(Decision, "change", row.pk)).content.decode()
    assert "book_room" in shown and 'name="_save"' not in shown
    assert operator.post(address(Decision, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_what_is_searched_for_is_found(operator, caller, foreign_caller):
    ask(caller, "needle", conversation_id="abc")
    ask(foreign_caller, "hay", conversation_id="xyz")

    for model, search in ((Conversation, "abc"), (Message, "needle"), (Run, "abc")):
        page = operator.get(address(model, "changelist"), {"q": search})
        assert page.context["cl"].result_count == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_page_costs_the_same_however_many_rows_it_shows(
    operator, caller, model, django_assert_max_num_queries
):
    for _ in range(12):
        ask(caller)
    with django_assert_max_num_queries(6):
        operator.get(address(model, "changelist"))


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_or_changed_by_hand(operator, caller, model):
    ask(caller, "Hello")
    row = model.objects.first()

    assert operator.get(address(model, "add")).status_code == 403
    assert operator.post(address(model, "change", row.pk), {"content": "x"}).status_code == 403


def test_a_conversation_is_deleted_as_a_whole(operator, caller):
    ask(caller, "Hello")
    operator.post(address(Conversation, "delete", Conversation.objects.get().pk), {"post": "yes"})

    assert operator.get(address(Conversation, "changelist")).context["cl"].result_count == 0
    erasing.finish()
    assert not any(model.objects.exists() for model in MODELS)


def test_the_page_that_asks_costs_the_same_however_long_a_conversation_is(
    operator, caller, django_assert_max_num_queries
):
    for _ in range(8):
        ask(caller, conversation_id="abc")
    page = address(Conversation, "delete", Conversation.objects.get().pk)
    with django_assert_max_num_queries(6):
        assert operator.get(page).status_code == 200


def test_many_are_deleted_at_once(operator, caller):
    for name in ("abc", "xyz"):
        ask(caller, conversation_id=name)
    chosen = {
        "action": "delete_selected",
        "_selected_action": Conversation.objects.values_list("pk", flat=True),
    }
    operator.post(address(Conversation, "changelist"), chosen | {"post": "yes"})

    assert erasing.left_over().count() == 2


@pytest.mark.parametrize("model", [Message, Run])
def test_no_part_of_a_conversation_is_deleted_alone(operator, caller, model):
    ask(caller)
    page = address(model, "delete", model.objects.first().pk)
    assert operator.post(page, {"post": "yes"}).status_code == 403


def test_members_of_organisations_have_no_admin(client, alice, caller):
    client.force_login(alice)

    assert client.get(address(Message, "changelist")).status_code == 302


def test_p35_what_a_model_says_is_not_markup(operator, caller):
    run = ask(caller, "<script>alert(1)</script>").run
    Message.objects.filter(pk=run.message_id).update(content="<img src=x onerror=alert(1)>")

    for page in (
        address(Message, "changelist"),
        address(Message, "change", run.message_id),
        address(Conversation, "changelist"),
    ):
        shown = operator.get(page).content.decode()
        assert "<script>alert(1)" not in shown and "<img src=x" not in shown
