"""`metering.current`: the budgets that stand."""

from accounts.models import Organization
from agents import invalidation
from metering import current
from metering.current import current_budgets, forget_organization
from metering.models import Budget


def made(organization: Organization) -> Budget:
    return Budget.objects.create(
        organization=organization,
        scope=Budget.Scope.ORGANIZATION,
        period=Budget.Period.MONTH,
        amount=1,
    )


def test_an_organization_without_budgets_is_asked_about_once(acme, django_assert_num_queries):
    forget_organization(acme.pk)
    with django_assert_num_queries(1):
        assert current_budgets({acme.pk}) == []
        assert current_budgets({acme.pk}) == []


def test_a_new_budget_counts_at_once(acme):
    assert current_budgets({acme.pk}) == []
    budget = made(acme)
    assert current_budgets({acme.pk}) == [budget]
    budget.delete()
    assert current_budgets({acme.pk}) == []


def test_what_was_read_before_a_change_is_not_kept(acme, monkeypatch):
    read = current.budgets_of

    def outdated(ids):
        rows = list(read(ids))
        invalidation.forget(acme.pk)  # a change is announced while the rows are on their way
        return rows

    monkeypatch.setattr(current, "budgets_of", outdated)
    assert current_budgets({acme.pk}) == []
    monkeypatch.undo()
    budget = made(acme)
    assert current_budgets({acme.pk}) == [budget]
