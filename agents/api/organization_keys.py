"""`/api/keys`: all keys of an organisation. Each route needs `keys:write` and `admin`."""

from datetime import timedelta

import msgspec
from django.http import HttpRequest, HttpResponse

from agents import access
from agents.api.keys import make, shown
from agents.auth import keys, rotation
from agents.caller import Caller
from core.http import Answer, newest, page_of, read
from engine.errors import invalid
from wire.objects import management

_new_key = msgspec.json.Decoder(management.NewKey)
_rotation = msgspec.json.Decoder(management.Rotation)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/keys`: the newest first, also those that have ended."""
    caller.principal.require("keys:write")
    every = access.keys_of_organization(caller).prefetch_related("agents", "pinned")
    rows, cursor = newest(every, page_of(request))
    return Answer(management.KeyPage(keys=list(map(shown, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/keys`: 201, with the key in `apiKey`; the body says which agents it opens."""
    caller.principal.require("keys:write")
    caller.principal.require("admin")
    body = read(_new_key, request)
    if not (body.every_agent or body.agents):
        raise invalid("agents", "Name the agents that the key opens, or `everyAgent`.")
    key, token = make(caller, body, body.agents)
    return Answer(shown(key), 201, secret={"apiKey": token})


def rotate(request: HttpRequest, caller: Caller, key_id: str) -> Answer:
    """`POST /api/keys/{keyId}/rotate`: 201, with the new key in `apiKey`."""
    caller.principal.require("keys:write")
    overlap = timedelta(seconds=read(_rotation, request).overlap_seconds)
    key = access.key_of_organization(caller, key_id)
    successor, token = rotation.rotate(key, overlap=overlap)
    return Answer(shown(successor), 201, secret={"apiKey": token})


def revoke(request: HttpRequest, caller: Caller, key_id: str) -> Answer:
    """`POST /api/keys/{keyId}/revoke`: for good; once more changes nothing."""
    caller.principal.require("keys:write")
    key = access.key_of_organization(caller, key_id)
    keys.revoke(key)
    return Answer(shown(key))
