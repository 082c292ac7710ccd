"""docs/protocol.md names everything that the code can say or hear, and nothing else."""

import json
import re
from typing import Any, get_args

import msgspec

from clawsite.openapi import OPERATIONS
from engine import events as ev
from tests.documents import code, names, rows, section
from wire import native
from wire.errors import CLOSE_CODE, HTTP_STATUS
from wire.frames import Snapshot

PAGE = "docs/protocol.md"
EVENTS = {event.__struct_config__.tag: event for event in get_args(ev.AnyEvent)}
FRAMES = {frame.__struct_config__.tag: frame for frame in get_args(native.ClientFrame)}
COMMON = {"runId", "seq", "conversationId", "messageId"}


def wire_fields(struct: Any, *, without: set[str] = frozenset()) -> set[str]:
    """The JSON names of a struct's fields; one that may be absent ends in `?`."""
    fields = [field for field in msgspec.structs.fields(struct) if field.encode_name not in without]
    return {
        field.encode_name
        if field.required or field.default_factory not in (msgspec.NODEFAULT, list)
        else f"{field.encode_name}?"
        for field in fields
    }


def documented(title: str) -> dict[str, set[str]]:
    """First cell -> names in the second, of a section's tables."""
    return {names(row[0])[0]: set(names(row[1])) for row in rows(section(PAGE, title))}


def event_rows() -> dict[str, set[str]]:
    """The table of events: the only one of its section whose rows name a type."""
    table = section(PAGE, "Events of a run").split("in the order in which they may come")[1]
    return {
        names(row[0])[0]: set(names(row[1]))
        for row in rows(table.split("`usage` of an outcome")[0])
    }


def test_it_works() -> None:
    assert event_rows()["token"] == {"content", "index", "count?", "ttftMs?"}
    assert documented("From the client")["unsubscribe"] == {"conversationId"}


def test_every_event_is_documented_with_every_field_and_no_other() -> None:
    assert event_rows() == {
        tag: wire_fields(event, without=COMMON) for tag, event in EVENTS.items()
    }


def test_the_common_fields_are_documented_with_the_events_that_carry_them() -> None:
    table = {names(row[0])[0]: names(row[1]) for row in rows(section(PAGE, "Events of a run"))}
    brief = {tag for tag, event in EVENTS.items() if event.brief}
    assert set(table) >= COMMON | {"type"}
    assert set(table["conversationId"]) == brief


def test_usage_and_metrics_are_documented_with_every_field_and_no_other() -> None:
    text = section(PAGE, "Events of a run").split("`usage` of an outcome")[1]
    fields = {name for row in rows(text) for name in names(row[0])}
    assert fields == {field.encode_name for field in msgspec.structs.fields(ev.Usage)}
    (metrics,) = re.findall(r"^`metrics` of `done`: (.*)$", text, re.MULTILINE)
    assert set(names(metrics)) == wire_fields(ev.Metrics)


def test_every_frame_of_a_client_is_documented_with_every_field_and_no_other() -> None:
    assert documented("From the client") == {
        tag: wire_fields(frame, without={"id"}) for tag, frame in FRAMES.items()
    }


def test_every_field_of_a_chat_request_is_documented() -> None:
    for title, request in (
        ("Asking", native.ChatRequest),
        ("POST /api/conversations/{id}/messages", native.ContentRequest),
    ):
        fields = {name for row in rows(section(PAGE, title)) for name in names(row[0])}
        assert fields == {field.encode_name for field in msgspec.structs.fields(request)}, title


def test_the_snapshot_is_documented_with_every_field() -> None:
    assert documented("From the server")["snapshot"] == wire_fields(Snapshot)


def test_every_error_is_documented_with_its_status_and_close_code_and_no_other() -> None:
    table = {names(row[0])[0]: (row[1], row[2]) for row in rows(section(PAGE, "Errors"))}
    assert table == {
        error: (str(HTTP_STATUS.get(error, "")), str(CLOSE_CODE.get(error, "")))
        for error in HTTP_STATUS.keys() | CLOSE_CODE.keys()
    }


def test_every_address_is_documented_with_its_methods_and_no_other() -> None:
    others = ("openai", "ai-sdk", "ag-ui", "mcp", "pipelines")
    pages = [section(f"docs/{name}.md", "Addresses") for name in others]
    text = "".join([section(PAGE, "HTTP"), *pages])
    headings = re.findall(r"^### ([A-Z]+) (/(?:api/|v1/|mcp)\S*)$", text, re.MULTILINE)
    known = {(each.method, each.prefix + re.sub(r"<\w+>", "{}", each.path)) for each in OPERATIONS}
    assert {(method, re.sub(r"{\w+}", "{}", path)) for method, path in headings} == known


def test_the_events_shown_are_events() -> None:
    shown = [
        line
        for block in code(PAGE, "json")
        for line in block.text.splitlines()
        if line.startswith('{"type"')
    ]
    assert shown
    for line in shown:
        event = ev.decode(line.encode())
        stamp = ev.Stamp(event.run_id, event.conversation_id or "-", event.message_id or "-")
        assert set(json.loads(stamp.seal(event, event.seq))) == set(json.loads(line))
