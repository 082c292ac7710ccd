"""What the command center says is what docs/command-center.md describes."""

from datetime import UTC, datetime
from typing import get_args

import msgspec

from tests.documents import names, rows, section
from wire import feed

PAGE = "docs/command-center.md"
KINDS = {str(kind.__struct_config__.tag): kind for kind in get_args(feed.AnyMessage)}


def fields(struct: type[msgspec.Struct]) -> set[str]:
    """The JSON names of a struct's fields; one that may be absent ends in `?`."""
    return {
        one.encode_name if one.required else f"{one.encode_name}?"
        for one in msgspec.structs.fields(struct)
    }


def test_it_works() -> None:
    changed = feed.RunStatusChanged(
        at=datetime(2026, 11, 30, 2, 40, tzinfo=UTC), run_id="run_1", from_="queued", to="running"
    )
    assert msgspec.to_builtins(changed) == {
        "type": "run:status_changed",
        "at": "2026-11-30T02:40:00Z",
        "runId": "run_1",
        "from": "queued",
        "to": "running",
    }


def test_every_message_is_documented_with_every_field_and_no_other() -> None:
    table = rows(section(PAGE, "Messages").split("A run:")[0])
    documented = {row[0].strip("`"): set(names(row[1])) for row in table}
    assert documented == {tag: fields(kind) - {"at"} for tag, kind in KINDS.items()}


def test_every_field_of_a_run_is_documented_and_no_other() -> None:
    table = rows(section(PAGE, "Messages").split("A run:")[1])
    assert {name for row in table for name in names(row[0])} == fields(feed.FeedRun)


def test_a_reader_may_choose_everything_but_the_answers() -> None:
    assert KINDS.keys() - {"state", "reset"} == feed.TYPES
