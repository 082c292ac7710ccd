"""`/api/secrets`: what an organisation entrusts to us. A value is never read back."""

import msgspec
from django.http import HttpRequest, HttpResponse

from accounts import access as accounts
from accounts.models import Secret
from agents import access
from agents.caller import Caller
from core.http import Answer, newest, page_of, read
from wire.objects import management
from wire.parse import check_storable

_new_secret = msgspec.json.Decoder(management.NewSecret)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/secrets`: their names, the newest first."""
    organization_id = _owner(caller)
    rows, cursor = newest(accounts.secrets_of(organization_id), page_of(request))
    return Answer(management.SecretPage(secrets=list(map(_shown, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/secrets`: 201; a value of the same name is replaced."""
    organization_id = _owner(caller)
    body = read(_new_secret, request)
    check_storable("value", body.value)
    return Answer(_shown(accounts.store_secret(organization_id, body.name, body.value)), 201)


def remove(request: HttpRequest, caller: Caller, name: str) -> HttpResponse:
    """`DELETE /api/secrets/{name}`: 204."""
    accounts.erase_secret(_owner(caller), name)
    return HttpResponse(status=204)


def _owner(caller: Caller) -> str:
    """The caller's organisation. Raises `forbidden`."""
    caller.principal.require("admin")
    access.require_every_agent(caller)
    return caller.principal.organization_id


def _shown(secret: Secret) -> management.Secret:
    return management.Secret(id=secret.id, name=secret.name, created_at=secret.created_at)
