"""`access.erasing`: what is large is deleted in small steps, and found by nobody then."""

import pytest
from django.utils import timezone

from agents import access as agents
from agents.access.tickets import MAX_ERASED
from agents.models import Agent, StreamTicket
from conversations import access
from conversations.access import erasing
from conversations.models import Conversation, Message, Run
from engine.errors import ClawError
from tests.conversations.parts import ask

RUNS = 5


@pytest.fixture
def large(caller, monkeypatch) -> Conversation:
    """A conversation of ten messages, where three are a step."""
    monkeypatch.setattr(erasing, "MAX_MESSAGES", 3)
    for _ in range(RUNS):
        run = ask(caller, conversation_id="large").run
    return run.conversation


def only(conversation: Conversation):
    return Conversation.objects.filter(pk=conversation.pk)


def test_p39_all_of_it_goes_and_nothing_else(caller, foreign_caller, large):
    other, foreign = ask(caller, conversation_id="other").run, ask(foreign_caller).run
    steps = []
    while (gone := erasing.erase_some(only(large))) is not None:
        steps.append(gone)

    assert {run.conversation_id for run in Run.objects.all()} == {
        *(other.conversation_id, foreign.conversation_id)
    }
    assert (Message.objects.count(), Conversation.objects.count()) == (4, 2)
    assert [step.conversations for step in steps] == [0, 0, 0, 1]
    assert sum(len(step.running) for step in steps) == RUNS


def test_no_step_is_larger_than_it_may_be(large):
    while True:
        before = Message.objects.count()
        if erasing.erase_some(only(large)) is None:
            break
        assert before - Message.objects.count() <= 3


def test_runs_that_have_ended_are_named(large):
    Run.objects.update(status="completed")
    ids, ended = set(Run.objects.values_list("pk", flat=True)), []
    while (gone := erasing.erase_some(only(large))) is not None:
        ended += gone.ended
        assert gone.running == []
    assert sorted(ended) == sorted(ids)


def test_what_is_being_erased_is_found_by_nobody_and_its_name_is_free(caller, large):
    erasing.hide(only(large))
    for name in ("large", large.pk):
        with pytest.raises(ClawError):
            access.conversation(caller, name)
    assert ask(caller, conversation_id="large").run.conversation_id != large.pk
    assert [found.pk for found in erasing.left_over()] == [large.pk]


def test_nothing_is_nothing(transactional_db):
    assert erasing.erase_some(Conversation.objects.none()) is None


def test_a_hidden_agent_goes_when_nothing_of_it_is_left(agent, caller, large):
    for number in range(MAX_ERASED + 1):
        expires = timezone.now()
        StreamTicket.objects.create(
            digest=str(number), agent=agent, owner="keys", subject={}, expires_at=expires
        )
    agents.hide_agent(agent)
    assert not erasing.erase_agent(agent.id)
    assert StreamTicket.objects.count() == 1
    assert not erasing.erase_agent(agent.id)
    assert not erasing.erase_agent(agent.id)
    assert Message.objects.count() == 2 * RUNS
    while erasing.erase_some(access.of_agent(caller)) is not None:
        pass
    assert erasing.erase_agent(agent.id)
    assert not Agent.every.exists()
    assert erasing.erase_agent(agent.id)  # somebody else was faster


def test_an_agent_that_is_not_hidden_stays(agent):
    assert erasing.erase_agent(agent.id)
    assert Agent.objects.get() == agent


def test_what_somebody_could_not_finish_is_finished(agent, second_agent, caller, second_caller):
    hidden, other = ask(caller).run, ask(second_caller).run
    ask(second_caller, conversation_id="abc")
    erasing.hide(Conversation.objects.filter(alias="abc"))
    agents.hide_agent(agent)

    assert erasing.finish() == 2
    assert list(Agent.every.all()) == [second_agent]
    assert [run.pk for run in Run.objects.all()] == [other.pk]
    assert hidden.pk != other.pk
    assert erasing.finish() == 0
