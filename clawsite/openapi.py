"""`GET /api/openapi.json`: what there is to ask, for programs."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from conversations.transports.facade import operations as facades
from conversations.transports.rest import operations
from conversations.transports.rest.routing import check_method
from pipelines.api.operations import OPERATIONS as OF_PIPELINES
from wire.description.openapi import Document, Operation, document
from wire.parse import dumps


async def show(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """The description, for everybody."""
    check_method(request, ["GET"])
    return HttpResponse(_encoded(), content_type="application/json")


SHOW = Operation(
    "GET",
    "openapi.json",
    show,
    name="describe",
    summary="This document",
    answers={200: (Document,)},
)
OPERATIONS = (
    *(*operations.ASK, *operations.MANAGE, *facades.ASK, *facades.MANAGE),
    *(*facades.API_ASK, *facades.API_MANAGE, *facades.ROOT_ASK, *OF_PIPELINES, SHOW),
)


def openapi() -> Document:
    """The OpenAPI document of this installation."""
    return document(OPERATIONS, version=settings.VERSION)


@cache
def _encoded() -> bytes:
    return dumps(openapi())
