"""Find a caller's runs and conversations."""

from functools import partial

from agents.caller import Caller
from conversations import access
from conversations.execution.recording.joining import joined_run
from conversations.models import Conversation, Run
from conversations.process.services import Services
from conversations.runs.positions import is_kept
from conversations.signals.activity import Arrivals
from core.database import database_step


async def find_run(caller: Caller, run_id: str) -> Run:
    """A run to follow: one of the caller's or, for one who may read what others have said, any.
    Raises `run_not_found`."""
    return await _find(caller, run_id, *access.READING)


async def find_run_to_stop(caller: Caller, run_id: str) -> Run:
    """One of the caller's runs or, with the scope `monitor:write`, any. Raises `run_not_found`."""
    return await _find(caller, run_id, "monitor:write")


async def _find(caller: Caller, run_id: str, *beyond: str) -> Run:
    if not caller.principal.scopes.issuperset(beyond):
        caller.principal.require("chat")
    return await database_step(access.run, caller, run_id, *beyond)


async def latest_run(caller: Caller, conversation_id: str) -> Run:
    """A conversation's active run, else its latest. Raises `conversation_not_found`,
    `run_not_found`."""
    caller.principal.require("chat")
    return await database_step(access.latest_run, caller, conversation_id)


async def stored_run(run: Run) -> Run | None:
    """The run as the database has it now; None if it has been deleted. Raises `unavailable`."""
    (stored,) = await database_step(access.runs_by_id, [run.pk])
    return stored


async def run_joined(run: Run) -> Run | None:
    """The run that the message of this one has joined; None if it has not. Raises `unavailable`."""
    name = await database_step(joined_run, run) if run.steers else None
    if name is None:
        return None
    (other,) = await database_step(access.runs_by_id, [name])
    return other


async def find_conversation(caller: Caller, conversation_id: str) -> Conversation:
    """One of the caller's conversations. Raises `conversation_not_found`."""
    return await database_step(access.conversation, caller, conversation_id)


async def find_arrivals(services: Services, caller: Caller, conversation_id: str) -> Arrivals:
    """The runs of a conversation as they come: the active one first, then every later one.

    Raises `conversation_not_found`, `forbidden`."""
    caller.principal.require("conversations:read")
    found, active, position = await database_step(access.present, caller, conversation_id)
    begun = partial(is_kept, services.log)
    return Arrivals(services.activity, found, position, active, begun=begun)
