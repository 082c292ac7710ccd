"""The conversation that a request for a response goes on with."""

from django.conf import settings
from msgspec.structs import replace

from agents.caller import Caller
from conversations import access
from conversations.models import Message, Run
from core.database import database_step
from engine.errors import ClawError
from wire.facade.history import ForeignRequest
from wire.facade.responses.objects import run_id_of
from wire.facade.responses.request import ResponseRequest
from wire.native import MAX_TURNS, ChatRequest, ChatTurn


async def chat_of(caller: Caller, asked: ResponseRequest) -> ForeignRequest:
    """The request in the native protocol: behind an earlier response, in a conversation, or as one
    of its own. Raises `invalid_message`, `message_too_large`, and `run_not_found` for a response
    that the caller may not see."""
    if asked.previous_response_id is not None:
        return await database_step(_behind, caller, asked, asked.previous_response_id)
    if asked.conversation_id is not None:
        return await database_step(_within, caller, asked, asked.conversation_id)
    return asked.history(message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)


def _within(caller: Caller, asked: ResponseRequest, name: str) -> ForeignRequest:
    """The message in a conversation that exists, or begins with it."""
    try:
        known = calls_of(access.latest_run(caller, name))
    except ClawError:  # there is none yet, or no answer in it
        known = []
    message = asked.message(known, message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)
    return replace(message, conversation_id=name)


def _behind(caller: Caller, asked: ResponseRequest, response_id: str) -> ForeignRequest:
    """The message in the response's conversation or, where others follow the response there, in a
    new one with all that came before."""
    try:
        run = access.run_shown(caller, run_id_of(response_id))
    except ClawError as error:
        details = {"field": "previous_response_id"}
        raise ClawError(error.code, "There is no such response.", details=details) from None
    message = asked.message(calls_of(run), message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)
    earlier = access.texts_up_to(run, MAX_TURNS - 1)
    if earlier is None:
        return replace(message, conversation_id=run.conversation.pk)
    turns = _turns(earlier)
    files = [*([] for _ in turns), *message.files]
    return ForeignRequest(messages=[*turns, *_turns_of(message)], files=files)


def calls_of(run: Run) -> list[str]:
    """The ids of the calls with which a run has ended."""
    return [tool["id"] for tool in run.message.tools if tool.get("client") and "result" not in tool]


def _turns(messages: list[Message]) -> list[ChatTurn]:
    """The newest of these that together are no larger than a request may be."""
    turns: list[ChatTurn] = []
    left = settings.CLAW_TRANSPORT_MAX_BYTES
    for message in reversed(messages):
        left -= len(message.content.encode())
        if left < 0:
            break
        if message.content.strip():
            turns.append(ChatTurn(role=message.role, content=message.content))
    return turns[::-1]


def _turns_of(request: ChatRequest) -> list[ChatTurn]:
    return [ChatTurn(role=turn.role, content=turn.content) for turn in request.turns]
