"""`pipelines.access.inbox`: items in their order, bounded, and forgotten once they are done."""

import pytest

from accounts.models import Organization
from engine.errors import ClawError
from pipelines.access import inbox
from pipelines.access import pipelines as access
from pipelines.models import Checkpoint, InboxItem


def test_it_works(made):
    row = made()
    assert inbox.append(row.pk, [{"n": 1}, {"n": 2}]) == 2
    assert inbox.append(row.pk, [{"n": 3}]) == 1
    items, position = inbox.read(row.pk, 0, 2)
    assert ([item.data["n"] for item in items], position) == ([1, 2], 2)
    items, position = inbox.read(row.pk, position, 100)
    assert ([item.data["n"] for item in items], position) == ([3], 3)
    assert inbox.read(row.pk, position, 100) == ([], 3)


def test_items_are_refused_while_too_many_wait(made, monkeypatch):
    monkeypatch.setattr(inbox, "MAX_BACKLOG", 2)
    row = made()
    inbox.append(row.pk, [{}, {}])
    with pytest.raises(ClawError) as caught:
        inbox.append(row.pk, [{}])
    assert caught.value.code == "rate_limited"
    Checkpoint.objects.update(inbox=2)
    inbox.append(row.pk, [{}])


def test_items_are_kept_for_the_checkpoints_that_need_them(made):
    row = made()
    inbox.append(row.pk, [{}, {}])
    kept = access.keep_checkpoint(row)
    Checkpoint.objects.filter(latest=True).update(inbox=2)
    inbox.trim(row.pk)
    assert InboxItem.objects.count() == 2
    access.forget_checkpoint(kept)
    inbox.trim(row.pk)
    assert InboxItem.objects.count() == 0


def test_the_address_of_a_pipeline_is_its_secret(made):
    row = made()
    assert inbox.pipeline_of_secret(row.pk, row.secret) == row
    for name, secret in ((row.pk, "x"), ("pipe_x", row.secret), ("\0", "")):
        with pytest.raises(ClawError):
            inbox.pipeline_of_secret(name, secret)


def test_another_organisation_has_none_of_it(made):
    row, globex = made(), Organization.objects.create(name="Globex")
    with pytest.raises(ClawError):
        access.pipeline(globex.pk, row.pk)
    assert not access.pipelines_of(globex.pk).exists()
