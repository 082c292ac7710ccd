"""The only way to the rows of standing approvals: each function says whose they are."""

from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.access import opened_by
from agents.caller import Caller
from agents.principal import Principal
from approvals.models import StandingApproval
from engine.errors import ClawError, invalid

MAX_STANDING = 200
"""Standing approvals of one agent in one conversation, or in all."""


def grant(
    principal: Principal, *, agent_id: str, conversation_id: str | None, tool: str, pinned: str
) -> StandingApproval:
    """Approve all later calls of a tool as it is now, in place of an earlier one. Call it in the
    transaction of the decision. Raises `invalid_message` where there are too many."""
    mine = StandingApproval.objects.filter(agent=agent_id, conversation=conversation_id)
    for earlier in mine.filter(tool=tool):
        earlier.delete()
    if mine.count() >= MAX_STANDING:
        raise invalid("always", f"There are {MAX_STANDING} standing approvals: revoke one first.")
    return StandingApproval.objects.create(
        organization_id=principal.organization_id,
        agent_id=agent_id,
        conversation_id=conversation_id,
        tool=tool,
        pinned=pinned,
        by_kind=principal.kind.value,
        by_id=principal.id,
        created_at=timezone.now(),
    )


def standing(
    *, agent_id: str, conversation_ids: Collection[str], tool: str, pinned: str, approvers: str
) -> StandingApproval | None:
    """The standing approval of a tool as it is now, of somebody who may approve its calls; None if
    there is none."""
    rows = StandingApproval.objects.filter(agent=agent_id, tool=tool, pinned=pinned)
    rows = rows.filter(Q(conversation=None) | Q(conversation__in=conversation_ids))
    return (rows if approvers == "visitor" else rows.exclude(by_kind="visitor")).first()


def given(caller: Caller) -> QuerySet[StandingApproval]:
    """The standing approvals that the caller may revoke: a visitor's are those in its own
    conversations. Raises `forbidden` without the scope `runs:approve`."""
    principal = caller.principal
    rows = StandingApproval.objects.filter(organization=principal.organization_id)
    if not principal.trusted:
        agent, owner = caller.require_agent().id, principal.owner
        return rows.filter(conversation__owner=owner, conversation__agent=agent)
    principal.require("runs:approve")
    agents = [caller.agent.id] if caller.agent is not None else opened_by(principal)
    return rows.filter(agent__in=agents)


def revoke(caller: Caller, id: str) -> None:
    """Let the tool ask again from now on. Raises `not_found`."""
    row = given(caller).filter(pk=id).first()
    if row is None:
        raise ClawError("not_found", "There is no such standing approval.")
    row.delete()
