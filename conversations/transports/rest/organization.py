"""REST: the end of an organisation, with everything that its agents have said."""

from django.http import HttpRequest, HttpResponse

from agents.api.organization.managers import manager
from agents.api.organization.objects import Farewell
from agents.api.organization.organization import confirmed
from agents.caller import Caller
from conversations.access.retention import MAX_DAYS, preview
from conversations.process.services import services_of
from conversations.runs import erase
from core.database import database_step
from core.http import Answer, number
from engine.errors import invalid
from wire.description.openapi import Operation, Parameter
from wire.objects.conversations import RetentionPreview


async def erase_organization(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/organization`: 204; the body has its name."""
    await database_step(confirmed, request, caller)
    await erase.erase_organization(services_of(request.scope), caller)
    return HttpResponse(status=204)


def retention(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/organization/retention?days=`: what would go."""
    organization_id = manager(caller).organization_id
    days = number(request, "days", 30) or 0
    if not 1 <= days <= MAX_DAYS:
        raise invalid("days", f"This is a number of days from 1 to {MAX_DAYS}.")
    return Answer(RetentionPreview(days=days, **preview(organization_id, days)))


OPERATIONS = (
    Operation(
        "GET",
        "organization/retention",
        retention,
        name="previewRetention",
        summary="What a retention of so many days would delete now",
        scope="admin",
        parameters=(
            Parameter(
                name="days",
                schema={"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "default": 30},
                description="Conversations without a message for so long.",
            ),
        ),
        answers={200: (RetentionPreview,)},
    ),
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
