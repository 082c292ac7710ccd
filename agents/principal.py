"""The one that asks: a key's holder, a visitor of an agent, or a member of an organisation."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from auditing.actors import Actor
from engine.errors import ClawError

OF_KEYS = "keys"
"""The owner of the conversations of all keys, within an agent."""


class Kind(StrEnum):
    """The kinds of principal."""

    KEY = "key"
    VISITOR = "visitor"
    MEMBER = "member"


SUBJECTS = {Kind.KEY: "This key", Kind.VISITOR: "A visitor", Kind.MEMBER: "Your role"}


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """The limits of a principal; None is no limit. `monthly_budget` is in US dollars."""

    requests_per_minute: int | None = None
    messages_per_minute: int | None = None
    messages_per_day: int | None = None
    monthly_budget: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Principal:
    """The asker and its rights. `id` tells it from all other principals.

    `name` is for people. `owner` names the owner of its conversations within an agent: `keys` for
    all keys, `visitor:<id>` or `user:<id>` for a visitor, `member:<id>` for a member. `via` is the
    voucher of a user (`agents.public.visited`). `version` is the state of the row that the rights
    come from, as it was when they were looked up."""

    kind: Kind
    id: str
    organization_id: str
    owner: str
    scopes: frozenset[str]
    allowance: Allowance = Allowance()
    expires_at: datetime | None = None
    via: str = ""
    name: str = ""
    version: Hashable = None

    @property
    def key_id(self) -> str | None:
        """The id of the key, for a key's holder."""
        return self.id if self.kind is Kind.KEY else None

    @property
    def trusted(self) -> bool:
        """Whether it sees everything that a run's log holds; visitors see what the agent shows."""
        return self.kind is not Kind.VISITOR

    @property
    def ends_unseen(self) -> datetime | None:
        """The moment when its rights end though no row changes: a visitor's token expires. The
        sweep finds the end of a key or a membership (`conversations.process.revocation`)."""
        return self.expires_at if self.kind is Kind.VISITOR else None

    def require(self, scope: str) -> None:
        """Raise `forbidden` unless the principal has this scope."""
        if scope not in self.scopes:
            raise ClawError("forbidden", f"{SUBJECTS[self.kind]} has no scope “{scope}”.")


def actor_of(principal: Principal, address: str) -> Actor:
    """The principal as the audit log names it, at this network address."""
    return Actor(principal.kind, principal.id, principal.name, address)
