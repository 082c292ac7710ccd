"""The alert rules of an organisation: who may read and who may change them."""

from collections.abc import Sequence
from typing import Any

from agents.access import agents_named, agents_watched, require_every_agent
from agents.caller import Caller
from alerts.access import rules as access
from alerts.models import AlertRule
from engine.errors import invalid
from webhooks.access import webhooks


def reader(caller: Caller) -> tuple[str, frozenset[str] | None]:
    """The organisation whose alerts the caller sees, and about which agents; None is all. Raises
    `forbidden`."""
    caller.principal.require("monitor:read")
    return caller.principal.organization_id, agents_watched(caller.principal, ())


def keeper(caller: Caller) -> str:
    """The organisation whose rules the caller may change. Raises `forbidden`."""
    caller.principal.require("monitor:write")
    require_every_agent(caller)
    return caller.principal.organization_id


def create(caller: Caller, fields: dict[str, Any]) -> AlertRule:
    """A new rule. `agents` are ids or slugs, `webhooks` ids. Raises `forbidden`,
    `invalid_message`, ValidationError."""
    return access.create(keeper(caller), _resolved(caller, fields))


def change(caller: Caller, rule_id: str, fields: dict[str, Any]) -> AlertRule:
    """Give a rule other values, as in `create`. Raises `not_found` too."""
    return access.change(keeper(caller), rule_id, _resolved(caller, fields))


def delete(caller: Caller, rule_id: str) -> None:
    """Delete a rule; its open alert resolves. Raises `forbidden`, `not_found`."""
    access.delete(keeper(caller), rule_id)


def _resolved(caller: Caller, fields: dict[str, Any]) -> dict[str, Any]:
    found = dict(fields)
    if "agents" in fields:
        found["agents"] = _agents(caller, fields["agents"])
    if "webhooks" in fields:
        found["webhooks"] = _webhooks(caller, fields["webhooks"])
    if "emails" in fields:
        found["emails"] = list(dict.fromkeys(fields["emails"]))
    return found


def _agents(caller: Caller, names: Sequence[str]) -> list[str]:
    found = agents_named(caller, [name for name in names if "\0" not in name])
    known = {each.id for each in found} | {each.slug for each in found}
    if unknown := set(names) - known:
        raise invalid("agentIds", f"There is no agent “{min(unknown)[:100]}”.")
    return sorted(each.id for each in found)


def _webhooks(caller: Caller, ids: Sequence[str]) -> list[str]:
    mine = webhooks.webhooks_of(caller.principal.organization_id)
    known = set(mine.values_list("id", flat=True))
    if unknown := set(ids) - known:
        raise invalid("notify.webhookIds", f"There is no webhook “{min(unknown)[:100]}”.")
    return list(dict.fromkeys(ids))
