"""`/v1/models`: the agents that a caller may ask."""

from django.http import HttpRequest

from agents import access
from agents.caller import Caller
from core.http import Answer
from wire.facade.models import Model, ModelList

MAX_MODELS = 1000  # OpenAI's list has no pages


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /v1/models`: below an agent's address only that one."""
    caller.principal.require("chat")
    if caller.agent is not None:
        rows = [access.agent_of(caller)]
    else:
        rows = list(access.agents_listed(caller).order_by("-created_at", "-id")[:MAX_MODELS])
    return Answer(ModelList("list", [Model.of(row.slug, row.created_at) for row in rows]))


def show(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /v1/models/{id}`."""
    caller.principal.require("chat")
    row = access.agent_of(caller)
    return Answer(Model.of(row.slug, row.created_at))
