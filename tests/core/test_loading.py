"""`core.loading`: rows as Django itself would have made them."""

from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Run
from core.loading import load
from tests.conversations.parts import ask

RELATED = ("conversation", "message", "user_message")


def values(row):
    """All of its columns."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_they_are_what_django_makes_of_them(caller):
    runs = [ask(caller, conversation_id=name).run for name in ("one", "two", "three")]
    Run.objects.filter(pk=runs[0].pk).update(
        usage={"cost": 1.5, "nested": ["ü", None]},
        cost=Decimal("0.12345678"),
        finished_at=timezone.now(),
        stop={},
    )
    keys = [run.pk for run in runs[:2]]
    with CaptureQueriesContext(connection) as captured:
        found = load(Run, RELATED, keys)
        related = {name: [getattr(found[key], name) for key in keys] for name in RELATED}
    assert len(captured) == 1
    django = Run.objects.select_related(*RELATED).in_bulk(keys)
    assert found.keys() == django.keys()
    for place, key in enumerate(keys):
        assert values(found[key]) == values(django[key])
        assert not found[key]._state.adding
        for name in RELATED:
            assert values(related[name][place]) == values(getattr(django[key], name))


def test_what_is_gone_is_not_found(caller):
    run = ask(caller).run
    assert load(Run, RELATED, ["run_unknown"]) == {}
    assert load(Run, RELATED, []) == {}
    assert load(Run, RELATED, ["run_unknown", run.pk]).keys() == {run.pk}
