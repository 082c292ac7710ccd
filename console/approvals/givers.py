"""The givers of standing approvals, in words."""

from collections.abc import Iterable

from approvals.models import StandingApproval
from console.access import key_names, member_names

WORDS = {"key": "a deleted API key", "member": "a former member", "visitor": "the visitor"}


def names_of(organization_id: str, rows: Iterable[StandingApproval]) -> dict[tuple[str, str], str]:
    """A name for the giver of each row, by kind and id: a member's address, a key's name."""
    givers = {(row.by_kind, row.by_id) for row in rows}
    known = {
        "key": key_names(organization_id, [id for kind, id in givers if kind == "key"]),
        "member": member_names(organization_id, [id for kind, id in givers if kind == "member"]),
    }
    return {(kind, id): known.get(kind, {}).get(id, WORDS[kind]) for kind, id in givers}
