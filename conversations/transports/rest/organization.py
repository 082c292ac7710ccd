"""REST: the end of an organisation, with everything that its agents have said."""

from django.http import HttpRequest, HttpResponse

from agents.api.organization.objects import Farewell
from agents.api.organization.organization import confirmed
from agents.caller import Caller
from conversations.process.services import services_of
from conversations.runs import erase
from core.database import database_step
from wire.description.openapi import Operation


async def erase_organization(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/organization`: 204; the body has its name."""
    await database_step(confirmed, request, caller)
    await erase.erase_organization(services_of(request.scope), caller)
    return HttpResponse(status=204)


OPERATIONS = (
    Operation(
        "DELETE",
        "organization",
        erase_organization,
        name="deleteOrganization",
        summary="Erase the organisation with all that it has; its members keep their accounts",
        scope="admin",
        body=Farewell,
        answers={204: ()},
    ),
)
