"""`/api/organization`: the caller's own, but for its end: that stops what its agents say."""

from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest

from accounts import access, models
from agents.api.organization import objects
from agents.api.organization.managers import check_may_delete, manager
from agents.caller import Caller
from core.http import Answer, read
from engine.errors import invalid
from wire.parse import check_storable

_fields = msgspec.json.Decoder(objects.OrganizationFields)
_farewell = msgspec.json.Decoder(objects.Farewell)


def show(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/organization`."""
    return Answer(_shown(access.organization(manager(caller).organization_id)))


def change(request: HttpRequest, caller: Caller) -> Answer:
    """`PATCH /api/organization`: all but its slug."""
    manager(caller)
    return Answer(_shown(alter(caller, read(_fields, request).given())))


@transaction.atomic
def alter(caller: Caller, fields: dict[str, Any]) -> models.Organization:
    """Give the caller's organisation these values. Raises `forbidden`, ValidationError."""
    organization = access.organization(manager(caller).organization_id)
    for name, value in fields.items():
        check_storable(name, value)
        setattr(organization, name, value)
    organization.full_clean()
    organization.save(update_fields=list(fields))
    return organization


def confirmed(request: HttpRequest, caller: Caller) -> str:
    """The id of the organisation that `DELETE /api/organization` may delete: the body has its name.
    Raises `forbidden`, `invalid_message`."""
    check_may_delete(caller)
    organization = access.organization(caller.principal.organization_id)
    if read(_farewell, request).name != organization.name:
        raise invalid("name", "This is not the name of the organisation.")
    return organization.id


def _shown(row: models.Organization) -> objects.Organization:
    return objects.Organization(
        id=row.id,
        name=row.name,
        slug=row.slug or "",
        time_zone=row.time_zone,
        approval_mail_seconds=row.approval_mail_seconds,
        retention_days=row.retention_days,
        created_at=row.created_at,
    )
