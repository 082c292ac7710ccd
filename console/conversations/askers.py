"""The owners of conversations, in words."""

from collections.abc import Iterable

from accounts.access import emails_of

WORDS = {"keys": "API keys", "visitor": "Visitor", "user": "User", "member": "Member"}
SHOWN = 8  # characters of a visitor's random name


def names_of(organization_id: str, owners: Iterable[str]) -> dict[str, str]:
    """A name for each of these owners: a member's address, a user's id of the organisation's own,
    the beginning of a visitor's."""
    parts = {owner: owner.partition(":")[::2] for owner in set(owners)}
    members = [name for kind, name in parts.values() if kind == "member"]
    emails = emails_of(organization_id, members) if members else {}
    return {owner: _name(kind, emails.get(name, name)) for owner, (kind, name) in parts.items()}


def _name(kind: str, name: str) -> str:
    if "@" in name and kind == "member":
        return name
    if kind == "visitor":
        name = name[:SHOWN]
    return f"{WORDS.get(kind, kind)} {name}".strip()
