"""REST: a run event by event with times, and what its model was sent."""

import msgspec
from django.http import HttpRequest

from agents.caller import Caller
from conversations.access import READING
from conversations.models import Run
from conversations.process.services import services_of
from conversations.runs.find import find_run
from conversations.runs.replay import replay, sent_request
from conversations.transports.rest.parameters import AGENT, NUMBER
from core.http import Answer, number
from wire.description.openapi import Operation, Parameter
from wire.objects.replay import Replay, SentRequest, SentTurn


async def show(request: HttpRequest, caller: Caller, run_id: str) -> Answer:
    """`GET /api/runs/{id}/replay`."""
    run = await _run(caller, run_id)
    after = number(request, "after", 0) or 0
    return Answer(await replay(services_of(request.scope).log, run, after))


async def sent(request: HttpRequest, caller: Caller, run_id: str) -> Answer:
    """`GET /api/runs/{id}/request?call=`."""
    run = await _run(caller, run_id)
    call = number(request, "call", 1) or 1
    made = await sent_request(services_of(request.scope).log, run, call)
    turns = [SentTurn(**msgspec.structs.asdict(turn)) for turn in made.turns]
    fields = msgspec.structs.asdict(made) | {"call": call, "turns": turns}
    del fields["tools"]
    return Answer(SentRequest(**fields))


async def _run(caller: Caller, run_id: str) -> Run:
    """A run for those who may read everything of it: the agent's instructions are part of it.
    Raises `forbidden`, `run_not_found`."""
    if not caller.principal.scopes.issuperset(READING):
        caller.principal.require("admin")
    return await find_run(caller, run_id)


CALL = Parameter(
    name="call",
    schema={"type": "integer", "minimum": 1, "default": 1},
    description="The first, second, ... call of the model.",
)
OPERATIONS = (
    Operation(
        "GET",
        "runs/<run_id>/replay",
        show,
        name="replayRun",
        summary="Every event of a run with its time, the cost of each call and the longest waits",
        scope="admin",
        instead=READING,
        parameters=(
            Parameter(name="after", schema=NUMBER, description="Only the events after this one."),
            AGENT,
        ),
        answers={200: (Replay,)},
        errors=("run_not_found", "history_expired"),
    ),
    Operation(
        "GET",
        "runs/<run_id>/request",
        sent,
        name="readModelRequest",
        summary="What the model was sent in a call of a run",
        scope="admin",
        instead=READING,
        parameters=(CALL, AGENT),
        answers={200: (SentRequest,)},
        errors=("run_not_found", "history_expired"),
    ),
)
