"""`/api/standing-approvals`: what need not be asked again, and to have it asked again."""

from django.http import HttpRequest, HttpResponse

from agents.caller import Caller
from approvals import access, models
from approvals.api.objects import Giver, StandingApproval, StandingApprovalPage
from core.http import Answer, newest, page_of


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/standing-approvals`: the newest first."""
    rows, cursor = newest(access.given(caller).select_related("conversation"), page_of(request))
    trusted = caller.principal.trusted
    shown = [_shown(row, named=trusted) for row in rows]
    return Answer(StandingApprovalPage(standing_approvals=shown, next_cursor=cursor))


def revoke(request: HttpRequest, caller: Caller, standing_approval_id: str) -> HttpResponse:
    """`DELETE /api/standing-approvals/{id}`: 204."""
    access.revoke(caller, standing_approval_id)
    return HttpResponse(status=204)


def _shown(row: models.StandingApproval, *, named: bool) -> StandingApproval:
    return StandingApproval(
        id=row.id,
        agent_id=row.agent_id,
        conversation_id=row.conversation and row.conversation.public_id,
        tool=row.tool,
        tool_digest=f"sha256:{row.pinned}",
        by=Giver(kind=row.by_kind, id=row.by_id if named else None),
        created_at=row.created_at,
    )
