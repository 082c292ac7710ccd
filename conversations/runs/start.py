"""Start a run: accept a message, and have it answered."""

from dataclasses import replace
from typing import Any

from agents.caller import Caller
from agents.outbound import credentials
from agents.versions.choosing import chosen
from conversations.execution.acceptance import Accepted as Accepted
from conversations.execution.acceptance import Asked
from conversations.execution.opening import stamp, started_event
from conversations.models import FINAL, RunStatus
from conversations.process.services import Services
from conversations.runs.cancel import cancel_runs
from conversations.runs.client_tools import entries_of
from conversations.runs.positions import is_kept
from core.database import database_step
from engine.errors import ClawError, Unavailable
from engine.log.base import Fenced, Log, LogError
from files.attached import Attached, attached
from wire.native import ChatRequest


async def start_run(
    services: Services,
    caller: Caller,
    request: ChatRequest,
    foreign: dict[str, Any] | None = None,
) -> Accepted:
    """Accept a message and have it answered. The message is committed when this returns, and the
    run can be followed. `foreign` is kept with the run.

    Raises ClawError: `agent_archived`, `forbidden`, `invalid_message`, `conversation_busy`,
    `budget_exceeded`, `idempotency_conflict`, `unavailable`, or why the agent's model cannot be
    used. A message that was answered long ago gives its run, whose events may be gone: see
    `check_kept`."""
    caller.principal.require("chat")
    if request.messages is not None and not caller.principal.trusted:
        raise ClawError("forbidden", "`messages` needs an API key.")
    agent = await chosen(caller, request.agent_version)
    if agent.archived:
        raise ClawError("agent_archived", "This agent is archived: it answers nobody.")
    if not services.dispatcher.room(agent.organization_id):
        raise Unavailable("The server is full or about to restart, try again soon.")
    if not await services.log.has_room(agent.organization_id):
        raise Unavailable("Your organisation's answers take up all their room, try again soon.")
    model = await credentials.provider_access(agent)
    tools = [*agent.tools, *entries_of(caller, agent, request.tools)]
    agent = replace(agent, provider=model.provider, model=model.model, tools=tools)
    files: tuple[Attached, ...] = ()
    if request.attachments:
        ids = request.attachments
        files = await database_step(attached, caller, ids, model.provider, model.model)
    accepted = await services.acceptance.accept(Asked(caller, agent, request, foreign, files))
    run = accepted.run
    if accepted.new or not (run.status in FINAL or await is_kept(services.log, run)):
        await _begin_log(services.log, accepted)
        if run.status == RunStatus.QUEUED:
            services.observers.accepted(run)
        await cancel_runs(services.dispatcher, accepted.interrupts)
        services.dispatcher.submit(run)
        await services.activity.announce(run.conversation_id)
    return accepted


async def _begin_log(log: Log, accepted: Accepted) -> None:
    """Write the first event of a new run, or of a run whose process died before it.

    If the run has been claimed since the commit (the run before it ended in that moment), the
    process that carries it out writes the event."""
    try:
        writer = log.writer(stamp(accepted.run), 0)
        if writer.seq == 0:
            writer.append(started_event(accepted.run, accepted.place))
        await writer.flush()
    except Fenced:
        pass  # until it begins, or another process begins in its place, watchers just wait
    except LogError as error:  # the message is stored, and its executor begins its log
        raise Unavailable("The answer cannot be shown yet, try again soon.") from error
