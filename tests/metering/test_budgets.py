"""`metering.budgets`: whose a budget is, and its periods."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Organization
from metering.budgets import Spender, account_of, begin_of, period_of, resets_at
from metering.models import Budget

NIGHT = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def budget(**fields: Any) -> Budget:
    mine = Organization(id="org_1", time_zone=fields.pop("zone", "UTC"))
    return Budget(id="budg_1", organization=mine, tokens=10, **{"scope": "organization"} | fields)


def spender(**fields: Any) -> Spender:
    mine = {"organization_id": "org_1", "agent_id": "agt_1", "lineage": "key_1", "owner": "keys"}
    return Spender(**mine | {"moment": NIGHT} | fields)


@pytest.mark.parametrize(
    ("scope", "target", "who", "account"),
    [
        ("organization", "", {}, "budg_1"),
        ("organization", "", {"organization_id": "org_2"}, None),
        ("agent", "agt_1", {}, "budg_1"),
        ("agent", "agt_2", {}, None),
        ("key", "key_1", {}, "budg_1"),
        ("key", "key_1", {"lineage": None}, None),
        ("visitor", "anon:a", {"owner": "visitor:a"}, "budg_1"),
        ("visitor", "anon:a", {"owner": "visitor:b"}, None),
        ("visitor", "user:a", {"owner": "user:a"}, "budg_1"),
        ("visitor", "", {"owner": "visitor:b"}, "budg_1:visitor:b"),
        ("visitor", "", {"owner": "keys"}, None),
        ("visitor", "", {"owner": "member:1"}, None),
    ],
)
def test_it_works(scope: str, target: str, who: dict[str, Any], account: str | None) -> None:
    assert account_of(budget(scope=scope, target_id=target), spender(**who)) == account


@pytest.mark.parametrize(
    ("period", "zone", "name", "begin"),
    [
        ("day", "UTC", "2026-11-30", "2026-11-30T00:00:00+00:00"),
        ("day", "Europe/Berlin", "2026-12-01", "2026-12-01T00:00:00+01:00"),
        ("month", "UTC", "2026-11", "2026-11-01T00:00:00+00:00"),
        ("month", "Europe/Berlin", "2026-12", "2026-12-01T00:00:00+01:00"),
    ],
)
def test_periods_are_those_of_the_organisation(
    period: str, zone: str, name: str, begin: str
) -> None:
    mine = budget(period=period, zone=zone)
    assert period_of(mine, NIGHT) == name
    assert begin_of(mine, NIGHT).isoformat() == begin


def test_a_total_never_ends() -> None:
    mine = budget(period="total")
    assert (period_of(mine, NIGHT), resets_at(mine)) == ("total", None)
    assert begin_of(mine, NIGHT) == mine.created_at


@pytest.mark.parametrize("period", ["day", "month"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Santiago"])
def test_a_period_ends_where_the_next_begins(period: str, zone: str) -> None:
    mine = budget(period=period, zone=zone)
    end = resets_at(mine)
    assert end is not None and end > datetime.now(UTC)
    assert begin_of(mine, end) == end
