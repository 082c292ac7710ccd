"""`conversations.access`: what is whose. Nothing of one organisation is the other's."""

from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from agents.auth import keys
from agents.models import ApiKey
from conversations import access
from conversations.models import UNFINISHED, Conversation, Message, Run
from core.http import Page, newest
from engine.errors import ClawError
from tests.agents.callers import caller_of, having, visitor_of
from tests.conversations.parts import ask


@pytest.fixture
def mine(caller) -> Run:
    return ask(caller, "mine", conversation_id="abc", client_message_id="m-1").run


@pytest.fixture
def theirs(foreign_caller) -> Run:
    return ask(foreign_caller, "theirs", conversation_id="abc", client_message_id="m-1").run


def code(function, *arguments) -> str:
    with pytest.raises(ClawError) as raised:
        function(*arguments)
    return raised.value.code


def test_it_works(caller, mine):
    assert access.conversation(caller, "abc") == mine.conversation
    assert access.conversation(caller, mine.conversation_id) == mine.conversation
    assert access.run(caller, mine.pk) == mine
    assert access.latest_run(caller, "abc") == mine
    assert access.run_of_client_message(caller, "m-1") == mine
    assert list(access.messages(mine.conversation)) == [mine.user_message, mine.message]


def test_p24_an_unscoped_query_would_show(caller, foreign_caller, mine, theirs):
    """Each of these rows is one that a query without its scope would return."""
    assert (Conversation.objects.count(), Run.objects.count(), Message.objects.count()) == (2, 2, 4)
    assert list(access.conversations(caller)) == [mine.conversation]
    assert list(access.conversations(foreign_caller)) == [theirs.conversation]
    assert access.conversation(caller, "abc") == mine.conversation
    assert access.run_of_client_message(caller, "m-1") == mine
    assert access.latest_run(foreign_caller, "abc") == theirs
    ApiKey.objects.update(revoked_at=timezone.now())
    assert access.unfinished_of_ended_keys([caller.principal.organization_id]) == [mine]
    ApiKey.objects.update(revoked_at=None)
    assert {row.conversation for row in access.messages(mine.conversation)} == {mine.conversation}
    admin = having(caller, scopes=caller.principal.scopes | {"admin"})
    assert access.unfinished_of_organization(admin.principal) == [mine]


def test_who_watches_the_organisation_finds_runs_of_others(caller, mine, theirs, second_caller):
    visitor = visitor_of(second_caller, "visitor:ada")
    hers = ask(visitor, "hers").run
    both, _ = keys.create_key(mine.organization, name="both")
    watcher = having(caller_of(both), scopes=frozenset(access.READING))
    assert access.run(watcher, hers.pk, *access.READING) == hers
    scopes = watcher.principal.scopes
    for who, run in [
        (watcher, theirs),
        (having(watcher, scopes=frozenset({"monitor:read"})), hers),
        (replace(watcher, agent=caller.agent), hers),
        (replace(having(caller, scopes=scopes), agent=None), hers),
        (visitor, mine),
    ]:
        assert code(access.run, who, run.pk, *access.READING) == "run_not_found"


def test_p25_what_is_foreign_is_answered_like_what_is_missing(caller, theirs):
    for public_id in (theirs.conversation_id, "conv_missing", "", "a\0b"):
        assert code(access.conversation, caller, public_id) == "conversation_not_found"
        assert code(access.latest_run, caller, public_id) == "conversation_not_found"
        assert code(access.present, caller, public_id) == "conversation_not_found"
    for run_id in (theirs.pk, "run_missing", "", "a\0b"):
        assert code(access.run, caller, run_id) == "run_not_found"
    assert access.run_of_client_message(caller, "m-2") is None


def test_p24_a_key_reaches_the_agents_it_opens_and_no_others(
    caller, second_caller, second_agent, mine, key, acme
):
    other = ask(second_caller, "other").run

    restricted = caller_of(key[0], None)  # names no agent: those of its key
    assert list(access.conversations(restricted)) == [mine.conversation]
    assert access.run(restricted, mine.pk) == mine
    assert code(access.run, restricted, other.pk) == "run_not_found"
    assert code(access.run, caller, other.pk) == "run_not_found"
    key[0].agents.add(second_agent)
    assert access.run(restricted, other.pk) == other
    assert code(access.run, caller, other.pk) == "run_not_found"  # it named its agent
    wide = caller_of(keys.create_key(acme, name="wide")[0], None)
    assert access.conversations(wide).count() == 2


def test_p27_visitors_are_strangers_to_each_other_and_to_keys(caller, mine):
    one, other = (visitor_of(caller, f"visitor:{name}") for name in "ab")
    run = ask(one, "private", conversation_id="xyz").run

    assert access.run(one, run.pk) == run
    for stranger in (other, caller):
        assert code(access.run, stranger, run.pk) == "run_not_found"
        assert code(access.conversation, stranger, "xyz") == "conversation_not_found"
    assert code(access.run, one, mine.pk) == "run_not_found"


def test_an_id_of_ours_is_stronger_than_an_alias_that_looks_like_it(caller, mine):
    conversation = mine.conversation
    Conversation.objects.create(
        organization_id=caller.principal.organization_id,
        agent_id=caller.agent.id,
        owner="keys",
        alias=conversation.id,
    )
    assert access.conversation(caller, conversation.id) == conversation


def test_conversations_of_the_same_moment_are_all_listed(caller):
    """Answers that end together are stored together, with one time."""
    made = {ask(caller, conversation_id=f"c{n}").run.conversation_id for n in range(5)}
    Conversation.objects.update(last_message_at=timezone.now())
    rows, page = access.conversations(caller), Page(limit=2)
    listed = []
    while True:
        found, cursor = newest(rows, page, by="last_message_at")
        listed += [row.pk for row in found]
        if cursor is None:
            break
        page = Page(before=cursor, limit=2)
    assert sorted(listed) == sorted(made)


def test_a_name_that_two_agents_know_is_nobodys_until_one_is_named(
    caller, second_caller, second_agent, key
):
    """Nothing may be read, or deleted, by chance."""
    key[0].agents.add(second_agent)
    rows = [ask(who, conversation_id="order-42").run for who in (caller, second_caller)]
    assert code(access.conversation, caller_of(key[0], None), "order-42") == "invalid_message"
    assert access.conversation(caller, "order-42") == rows[0].conversation


def test_a_conversation_may_be_made_empty_and_once(caller):
    made = access.create_conversation(caller, "xyz", "Title")
    assert access.conversation(caller, "xyz") == made
    assert (made.title, made.owner) == ("Title", "keys")
    for taken in ("xyz", made.id):
        assert code(access.create_conversation, caller, taken, "") == "conversation_exists"
    assert access.create_conversation(caller, None, "").public_id.startswith("conv_")


def test_a_conversation_is_made_with_an_agent(caller):
    assert code(access.create_conversation, replace(caller, agent=None), None, "") == (
        "invalid_message"
    )


def test_the_latest_run_is_the_active_one_else_the_newest(caller):
    first, second, third = (ask(caller, conversation_id="abc").run for _ in range(3))
    assert access.latest_run(caller, "abc") == first
    Run.objects.filter(pk=first.pk).update(status="completed")
    Run.objects.filter(pk=second.pk).update(status="running")
    assert access.latest_run(caller, "abc") == second
    Run.objects.update(status="completed")
    assert access.latest_run(caller, "abc") == third


def test_a_conversation_without_a_run_has_no_latest(caller):
    access.create_conversation(caller, "empty", "")
    assert code(access.latest_run, caller, "empty") == "run_not_found"


def test_what_is_present_and_what_comes_after_it(caller):
    made = access.create_conversation(caller, "abc", "")
    assert access.present(caller, "abc") == (made, None, 0)
    first, second = (ask(caller, conversation_id="abc").run for _ in range(2))
    _, active, position = access.present(caller, "abc")
    assert active == first
    assert access.runs_after(made, position) == [first, second]
    Run.objects.update(status="completed")
    _, active, position = access.present(caller, "abc")
    assert active is None
    assert access.runs_after(made, position) == []
    third = ask(caller, conversation_id="abc").run
    assert access.runs_after(made, position) == [third]


def test_what_has_not_ended(caller):
    runs = [ask(caller, conversation_id="abc").run for _ in range(3)]
    Run.objects.filter(pk=runs[0].pk).update(status="failed")
    assert set(access.unfinished_runs(runs[0].conversation)) == set(runs[1:])
    owner = [caller.principal.organization_id]
    assert access.unfinished_of_ended_keys(owner) == []
    for ending in ("revoked_at", "expires_at"):
        ApiKey.objects.update(revoked_at=None, expires_at=None)
        ApiKey.objects.update(**{ending: timezone.now()})
        assert set(access.unfinished_of_ended_keys(owner)) == set(runs[1:])
    ApiKey.objects.all().delete()
    assert set(access.unfinished_of_ended_keys(owner)) == set(runs[1:])
    assert access.unfinished_of_ended_keys(["org_other"]) == []


def test_only_an_administrator_s_key_reaches_the_whole_organisation(caller):
    assert code(access.unfinished_of_organization, caller.principal) == "forbidden"


def test_unfinished_runs_come_in_pages_and_those_that_wait_come_first(caller, monkeypatch):
    monkeypatch.setattr("conversations.access.runs.MAX_RUNS", 2)
    runs = [ask(caller, conversation_id="abc").run for _ in range(3)]
    Run.objects.filter(pk=runs[0].pk).update(status="running")
    ended = ask(caller).run
    Run.objects.filter(pk=ended.pk).update(status="failed", finished_at=timezone.now())
    admin = having(caller, scopes=frozenset({"admin"}))

    for page, who in (
        (access.unfinished_of_organization, admin.principal),
        (access.unfinished_of_agent, caller),
    ):
        first = page(who)
        assert first == [runs[2], runs[1]]
        assert page(who, first[-1].user_message_id) == [runs[0]]
        assert page(who, runs[0].user_message_id) == []


def test_what_has_not_ended_is_found_by_an_index(caller):
    """However many have: SQLite explains what it does."""
    if connection.vendor != "sqlite":
        return  # PostgreSQL reads a small table as a whole
    conversations = access.conversations(caller).annotate(unfinished=access.count_of_unfinished())
    for index, rows in (
        ("run_unfinished_in", Run.objects.filter(UNFINISHED, conversation="c")),
        ("run_unfinished_in", conversations.filter(access.called("c"))),
        ("run_unfinished_of", Run.objects.filter(UNFINISHED, organization="o")),
        ("run_unfinished ", Run.objects.filter(UNFINISHED, user_message__gt=1)),
    ):
        assert f"USING INDEX {index}" in rows.explain().replace("\n", " ") + " "
