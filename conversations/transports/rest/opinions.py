"""REST: what readers think of an answer and of a conversation."""

import msgspec
from django.http import HttpRequest

from agents.caller import Caller
from conversations import access
from conversations.rendering import render_conversation, render_current_message
from conversations.transports.http import visibility_of
from conversations.transports.rest.parameters import AGENT
from core.http import Answer, read
from wire.description.openapi import Operation
from wire.objects.conversations import Conversation, Feedback, Message, Rating
from wire.parse import check_text

_feedback = msgspec.json.Decoder(Feedback)
_rating = msgspec.json.Decoder(Rating)


def rate_message(request: HttpRequest, caller: Caller, message_id: str) -> Answer:
    """`PUT /api/messages/{id}/feedback`: what the reader thinks; null takes it back."""
    caller.principal.require("conversations:write")
    feedback = read(_feedback, request)
    comment = _comment(feedback)
    message = access.answer(caller, message_id)
    message.rating = feedback.rating or ""
    message.comment = comment if feedback.rating else ""
    message.save(update_fields=["rating", "comment"])
    return Answer(visibility_of(caller).message(render_current_message(message)))


def rate_conversation(request: HttpRequest, caller: Caller, conversation_id: str) -> Answer:
    """`PUT /api/conversations/{id}/rating`: how somebody found it; null takes it back."""
    caller.principal.require("conversations:write")
    rating = read(_rating, request)
    comment = _comment(rating)
    found = access.conversation(caller, conversation_id)
    found.rating = rating.rating
    found.comment = comment if rating.rating else ""
    found.save(update_fields=["rating", "comment"])
    return Answer(render_conversation(found))


def _comment(opinion: Feedback | Rating) -> str:
    """Raises `invalid_message`."""
    comment = opinion.comment or ""
    if comment:
        check_text("comment", comment)
    return comment


OPERATIONS = (
    Operation(
        "PUT",
        "messages/<message_id>/feedback",
        rate_message,
        name="rateMessage",
        summary="Say what you think of an answer",
        scope="conversations:write",
        body=Feedback,
        parameters=(AGENT,),
        answers={200: (Message,)},
        errors=("message_not_found",),
    ),
    Operation(
        "PUT",
        "conversations/<conversation_id>/rating",
        rate_conversation,
        name="rateConversation",
        summary="Say how you found a conversation",
        scope="conversations:write",
        body=Rating,
        parameters=(AGENT,),
        answers={200: (Conversation,)},
        errors=("conversation_not_found",),
    ),
)
