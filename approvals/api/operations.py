"""The operations on standing approvals."""

from approvals.api import views
from approvals.api.objects import StandingApprovalPage
from core.http import PAGE
from wire.description.openapi import Operation

OPERATIONS = (
    Operation(
        "GET",
        "standing-approvals",
        views.index,
        name="listStandingApprovals",
        summary="The tools whose calls somebody has approved beforehand, the newest first",
        scope="runs:approve",
        parameters=PAGE,
        answers={200: (StandingApprovalPage,)},
    ),
    Operation(
        "DELETE",
        "standing-approvals/<standing_approval_id>",
        views.revoke,
        name="revokeStandingApproval",
        summary="Let the calls of the tool wait for approval again",
        scope="runs:approve",
        answers={204: ()},
    ),
)
