"""The budgets that stand. Most organisations have none: their runs cost no query for them."""

from collections.abc import Collection

from agents import invalidation
from core.cache import ExpiringCache
from metering.access import budgets_of
from metering.models import Budget

CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000

_without: ExpiringCache[str] = ExpiringCache(size=CACHE_SIZE, seconds=CACHE_SECONDS)


def current_budgets(organization_ids: Collection[str]) -> list[Budget]:
    """The budgets of these organisations. An organisation without any is asked about again after
    seconds, or as soon as a change of it is announced. Synchronous."""
    asked = sorted(each for each in organization_ids if _without.get(each) is None)
    removals = _without.removals
    found = list(budgets_of(asked)) if asked else []
    if removals == _without.removals:
        for each in {*asked} - {budget.organization_id for budget in found}:
            _without.put(each, each)
    return found


@invalidation.on_change
def forget_organization(organization_id: str) -> None:
    """Ask the database again at the next run of this organisation."""
    _without.remove(lambda known: known == organization_id)
