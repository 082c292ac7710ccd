"""`agents.principal`: what the three kinds may, and how they end."""

from datetime import UTC, datetime

import pytest

from agents.principal import Kind, Principal
from engine.errors import ClawError

MOMENT = datetime(2026, 11, 30, tzinfo=UTC)


def principal(kind: Kind, *scopes: str) -> Principal:
    return Principal(
        kind=kind,
        id="one",
        organization_id="org_1",
        owner="keys",
        scopes=frozenset(scopes),
        expires_at=MOMENT,
    )


def test_it_works() -> None:
    principal(Kind.KEY, "chat").require("chat")


@pytest.mark.parametrize("kind", Kind)
def test_a_missing_scope_is_named(kind: Kind) -> None:
    with pytest.raises(ClawError, match="admin") as refused:
        principal(kind, "chat").require("admin")
    assert refused.value.code == "forbidden"


def test_only_a_key_has_the_id_of_a_key() -> None:
    assert [principal(kind).key_id for kind in Kind] == [
        "one" if kind is Kind.KEY else None for kind in Kind
    ]


def test_only_visitors_see_less_and_end_unseen() -> None:
    assert [kind for kind in Kind if not principal(kind).trusted] == [Kind.VISITOR]
    assert [kind for kind in Kind if principal(kind).ends_unseen == MOMENT] == [Kind.VISITOR]
