"""`files.attached`: the files of a message, and what a model is sent of them."""

import pytest

from engine.errors import ClawError
from files import access
from files import attached as module
from files.accepts import ALL, TEXT
from files.attached import attached, sendable
from files.inspection.result import Inspected
from tests.files.conftest import PICTURE

NOTE = Inspected("text/plain", b"Hello", 2)


def added(caller, *files):
    return [access.add_file(caller, f"f{n}", each).pk for n, each in enumerate(files)]


def sent(found, kinds=ALL):
    blocks = [each.block() for each in found]
    return list(sendable("", blocks, kinds).values())[::-1]


def test_it_works(caller):
    ids = added(caller, PICTURE, NOTE)
    found = attached(caller, ids, "openai", "gpt-4o")
    assert [each.id for each in found] == ids
    assert sent(found) == [
        {
            "type": "file",
            "name": "f0",
            "media_type": "image/png",
            "tokens": 10,
            "data": "cGl4ZWxz",
        },
        {"type": "file", "name": "f1", "media_type": "text/plain", "tokens": 2, "data": "SGVsbG8="},
    ]


def test_what_the_model_does_not_take_is_refused_by_name(caller):
    ids = added(caller, NOTE, PICTURE)
    with pytest.raises(ClawError, match="'f1'") as raised:
        attached(caller, ids, "openai", "llama3.3")
    assert raised.value.details["field"] == "attachments"


def test_a_message_has_so_many_files_each_once(caller, settings):
    settings.CLAW_MAX_FILES_PER_MESSAGE = 2
    ids = added(caller, NOTE, NOTE, NOTE)
    for wrong in (ids, [ids[0], ids[0]]):
        with pytest.raises(ClawError, match="at most 2 files"):
            attached(caller, wrong, "demo", "demo")


def test_another_model_is_told_of_what_it_cannot_read(caller):
    found = attached(caller, added(caller, PICTURE), "openai", "gpt-4o")
    assert sent(found, TEXT) == [{"type": "text", "text": "[The file 'f0' is not shown to you.]"}]


def test_the_newest_files_are_sent(caller, monkeypatch):
    monkeypatch.setattr(module, "MAX_SENT", 6)
    found = attached(caller, added(caller, NOTE, PICTURE), "demo", "demo")
    assert [each["type"] for each in sent(found)] == ["text", "file"]
