"""`pipelines.access.tables`: rows that come twice, and how many there may be."""

import json

import pytest

from pipelines.access import tables
from pipelines.access.tables import Change, TableFull


def rows(acme):
    found = tables.rows_of(tables.table(acme.pk, "t")).order_by("id")
    return [json.loads(row.data) for row in found]


def test_it_works(acme):
    insert = Change("t", "insert", [])
    tables.write(acme.pk, insert, [("itm_1", {"n": 1}), ("itm_2", {"n": 2})])
    tables.write(acme.pk, insert, [("itm_2", {"n": 2}), ("itm_3", {"n": 3})])
    assert rows(acme) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert tables.table(acme.pk, "t").rows == 3


def test_upsert_and_update_find_a_row_by_its_fields(acme):
    upsert, update = Change("t", "upsert", ["a", "b"]), Change("t", "update", ["a", "b"])
    tables.write(acme.pk, upsert, [("1", {"a": 1, "b": 1, "n": 1}), ("2", {"a": 1, "n": 2})])
    tables.write(acme.pk, upsert, [("3", {"a": 1, "b": 1, "m": 5})])
    tables.write(acme.pk, update, [("4", {"a": 1, "n": 9}), ("5", {"a": 7, "n": 9})])
    assert rows(acme) == [{"a": 1, "b": 1, "n": 1, "m": 5}, {"a": 1, "n": 9}]


def test_a_full_table_takes_nothing_of_a_batch(acme, monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    insert = Change("t", "insert", [])
    tables.write(acme.pk, insert, [("1", {})])
    with pytest.raises(TableFull):
        tables.write(acme.pk, insert, [("2", {}), ("3", {})])
    assert len(rows(acme)) == 1


def test_text_that_a_database_cannot_have_is_kept(acme):
    tables.write(acme.pk, Change("t", "insert", []), [("1", {"n": "a\0b"})])
    assert rows(acme) == [{"n": "a\0b"}]
