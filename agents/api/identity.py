"""`/api/agents/{id}/identity-secret`: what the organisation signs with to name its own users."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from agents import access
from agents.auth import grants, identity
from agents.caller import Caller
from core.http import Answer
from wire.objects.management import IdentitySecret


@transaction.atomic
def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents/{id}/identity-secret`: 201, with the secret in `identitySecret`. The users
    get no scope that the key lacks."""
    caller.principal.require("keys:write")
    agent = access.agent_of(caller, lock=True)
    scopes = grants.scopes_of_users(access.key_of(caller.principal), agent)
    secret = identity.new_secret(agent, scopes)
    return Answer(IdentitySecret(agent_id=agent.id), 201, secret={"identitySecret": secret})


@transaction.atomic
def remove(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/agents/{id}/identity-secret`: 204; once more changes nothing."""
    caller.principal.require("keys:write")
    identity.drop_secret(access.agent_of(caller, lock=True))
    return HttpResponse(status=204)
