"""Conversations that were had."""

from typing import Any

from agents.models import Agent
from conversations.models import Conversation, Message, Run

DONE = "completed"


def talk(
    agent: Agent, question: str, answer: str = "Fine.", owner: str = "visitor:v1", **fields: Any
) -> Conversation:
    """A conversation of one question and its answer, which has these fields."""
    of = {"organization": agent.organization, "agent": agent}
    said = Conversation.objects.create(**of, owner=owner, title=fields.pop("title", ""))
    say(said, question, answer, **fields)
    return said


def say(conversation: Conversation, question: str, answer: str = "Fine.", **fields: Any) -> Run:
    """Go on with a conversation."""
    asked = Message.objects.create(conversation=conversation, role="user", content=question)
    answered = Message.objects.create(
        conversation=conversation, role="assistant", content=answer, status=DONE, **fields
    )
    return Run.objects.create(
        organization=conversation.organization,
        agent=conversation.agent,
        conversation=conversation,
        user_message=asked,
        message=answered,
        owner=conversation.owner,
        status=DONE,
    )
