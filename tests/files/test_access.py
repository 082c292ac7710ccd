"""`files.access`: whose a file is, what it belongs to, and when it is gone."""

from datetime import timedelta

import pytest

from engine.errors import ClawError
from files import access
from files.models import File
from tests.agents.callers import visitor_of
from tests.files.conftest import PICTURE


def kept(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_works(caller, folder):
    row = access.add_file(caller, "../../etc/passwd", PICTURE)
    assert access.file(caller, row.pk) == row
    (path,) = kept(folder)
    assert path.read_bytes() == b"pixels" and path.name == row.pk
    assert access.contents("", [row.pk]) == {row.pk: b"pixels"}


def test_p24_a_strangers_file_is_none(caller, stranger):
    row = access.add_file(caller, "a.png", PICTURE)
    others = (stranger, visitor_of(caller, "anon:x"))
    for other in others:
        for read in (
            lambda other=other: access.file(other, row.pk),
            lambda other=other: access.attach(other, [row.pk], "conv_1"),
        ):
            with pytest.raises(ClawError) as raised:
                read()
            assert raised.value.code == "file_not_found"
    assert access.contents("conv_other", [row.pk]) == {}


def test_a_file_belongs_to_one_conversation(caller):
    row = access.add_file(caller, "a.png", PICTURE)
    access.attach(caller, [row.pk], "conv_1")
    access.attach(caller, [row.pk], "conv_1")
    with pytest.raises(ClawError):
        access.attach(caller, [row.pk], "conv_2")
    assert access.contents("conv_1", [row.pk]) == {row.pk: b"pixels"}


def test_an_organisation_has_room_for_so_much(caller, settings):
    settings.CLAW_MAX_STORED_FILE_BYTES = 10
    access.add_file(caller, "a.png", PICTURE)
    with pytest.raises(ClawError) as raised:
        access.add_file(caller, "b.png", PICTURE)
    assert raised.value.code == "message_too_large"


def test_p39_the_files_of_a_conversation_are_erased_with_it(caller, folder):
    gone, kept_one = (access.add_file(caller, name, PICTURE) for name in ("a", "b"))
    access.attach(caller, [gone.pk], "conv_1")
    assert access.erase_of(["conv_1"])
    assert not access.erase_of(["conv_1"])
    assert [path.name for path in kept(folder)] == [kept_one.pk]
    assert access.erase_of_agent(caller.agent.id)
    assert kept(folder) == [] and not File.objects.exists()


def test_what_came_with_no_message_is_deleted_after_a_day(caller):
    old, used, new = (access.add_file(caller, name, PICTURE) for name in ("a", "b", "c"))
    access.attach(caller, [used.pk], "conv_1")
    past = old.created_at - timedelta(days=2)
    File.objects.filter(pk__in=[old.pk, used.pk]).update(created_at=past)
    assert access.erase_unused() == 1
    assert {*File.objects.values_list("pk", flat=True)} == {used.pk, new.pk}


def test_a_content_that_is_gone_is_left_out(caller):
    row = access.add_file(caller, "a.png", PICTURE)
    row.content.delete(save=False)
    assert access.contents("", [row.pk]) == {}


def test_a_visitor_has_few_files_without_a_message(caller, monkeypatch):
    monkeypatch.setattr(access, "MAX_UNUSED", 1)
    visitor = visitor_of(caller, "visitor:x")
    first = access.add_file(visitor, "a.png", PICTURE)
    with pytest.raises(ClawError) as raised:
        access.add_file(visitor, "b.png", PICTURE)
    assert raised.value.code == "invalid_message"
    access.attach(visitor, [first.pk], "conv_1")
    access.add_file(visitor, "b.png", PICTURE)
    for name in ("a", "b"):
        access.add_file(caller, name, PICTURE)
