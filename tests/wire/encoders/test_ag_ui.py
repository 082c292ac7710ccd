"""`wire.encoders.ag_ui`: events of AG-UI."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from engine.events import Batch
from tests import fixtures
from tests.wire.contract import NOTHING, RUN, WHOLE, EncoderContract, batch_of, cut, snapshot_at
from tests.wire.encoders.test_native import read
from wire.encoders.ag_ui import AgUiEvents
from wire.frames import Snapshot
from wire.selection import Selection
from wire.visibility import EVERYTHING

STARTS = {
    "TEXT_MESSAGE_START": "TEXT_MESSAGE_END",
    "REASONING_START": "REASONING_END",
    "REASONING_MESSAGE_START": "REASONING_MESSAGE_END",
    "TOOL_CALL_START": "TOOL_CALL_END",
}


def events(writes: Sequence[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(data) for data in read(b"".join(writes))]


def told(name: str, **options: Any) -> list[dict[str, Any]]:
    encoder = AgUiEvents(Selection(EVERYTHING), RUN, thread_id="t", name="r", **options)
    return events(encoder.opening() + encoder.events(batch_of(name)) + encoder.close())


def waiting_at(name: str) -> int:
    """The position where the run of a fixture waits."""
    return batch_of(name)[0].index("run_waiting") + 1


class Resuming:
    """A client that answers each interrupt with a run of its own."""

    on_disconnect = AgUiEvents.on_disconnect

    def __init__(self, selection: Selection) -> None:
        self._selection, self._seen = selection, list[Batch]()
        self._encoder = AgUiEvents(selection, RUN)

    def opening(self, after: int = 0) -> list[bytes]:
        return self._encoder.opening(after)

    def events(self, batch: Batch) -> list[bytes]:
        writes: list[bytes] = []
        for one in cut(batch, 1):
            writes += self._encoder.events(one)
            self._seen.append(one)
            if one[0] != ["done"]:
                writes += self._again(one[2])
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        return [*self._encoder.snapshot(snapshot), *self._again(snapshot.last_seq)]

    def keepalive(self) -> list[bytes]:
        return self._encoder.keepalive()

    def close(self, error: ClawError | None = None) -> list[bytes]:
        return self._encoder.close(error)

    def _again(self, after: int) -> list[bytes]:
        if not self._encoder.over:
            return []
        self._encoder = AgUiEvents(self._selection, RUN, after=after)
        writes = self._encoder.opening()
        for batch in self._seen:
            assert self._encoder.events(batch) == []
        return writes


class TestAgUiEvents(EncoderContract):
    protocol = AgUiEvents

    def encoder(self, *, merge: bool = False, everything: bool = True) -> Any:
        return Resuming(Selection(EVERYTHING if everything else NOTHING, merge=merge))

    def text(self, writes: Sequence[bytes]) -> str:
        found = [each for each in events(writes) if each["type"] == "TEXT_MESSAGE_CONTENT"]
        return "".join(each["delta"] for each in found)

    def left_open(self, writes: Sequence[bytes]) -> bool:
        """A part without its end, or a run without its own."""
        types = [each["type"] for each in events(writes)]
        ended = types.count("RUN_FINISHED") + types.count("RUN_ERROR")
        return types.count("RUN_STARTED") != ended or any(
            types.count(start) != types.count(end) for start, end in STARTS.items()
        )


def test_a_run_begins_and_ends_under_the_names_of_its_client() -> None:
    first, *_, last = told("complete")
    assert (first["type"], first["threadId"], first["runId"]) == ("RUN_STARTED", "t", "r")
    assert (last["type"], last["threadId"], last["runId"]) == ("RUN_FINISHED", "t", "r")
    assert last["outcome"] == {"type": "success"}
    assert last["usage"][0]["totalTokens"] > 0


def test_every_ending_has_its_own_outcome() -> None:
    assert told("cancelled")[-1]["outcome"] == {"type": "cancelled"}
    failed = told("failed")[-1]
    assert failed["type"] == "RUN_ERROR" and failed["code"] and failed["message"]


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_an_end_is_told_once_and_last(name: str) -> None:
    types = [each["type"] for each in told(name)]
    assert [type_ for type_ in types if type_ in ("RUN_FINISHED", "RUN_ERROR")] == types[-1:]


def test_a_wait_for_the_client_ends_the_run_with_an_interrupt() -> None:
    last = told("decided")[-1]
    assert last["outcome"]["type"] == "interrupt"
    asked = {each["id"]: each for each in last["outcome"]["interrupts"]}
    assert {each["reason"] for each in asked.values()} == {"approval", "question"}
    assert "toolu_3" not in asked  # the client's own tool
    assert asked["toolu_1"]["metadata"] == {
        "tool": "book",
        "args": {"room": "Blue"},
        "editable": True,
    }
    assert asked["toolu_2"]["responseSchema"] == {"enum": ["Monday", "Tuesday"]}


def test_what_follows_a_wait_is_a_run_of_its_own() -> None:
    first, *between, last = told("decided", after=waiting_at("decided"))
    assert (first["type"], last["outcome"]) == ("RUN_STARTED", {"type": "success"})
    types = {each["type"] for each in between}
    assert "TOOL_CALL_RESULT" in types and "TOOL_CALL_START" not in types


def test_statuses_and_sources_are_the_state_beside_that_of_the_client() -> None:
    states = [
        each["snapshot"]
        for each in told("sources", state={"mine": 1})
        if each["type"] == "STATE_SNAPSHOT"
    ]
    assert states and all(state["mine"] == 1 for state in states)
    assert states[-1]["sources"] and states[-1]["status"]["message"]


def test_a_snapshot_of_a_run_that_waits_ends_with_an_interrupt() -> None:
    encoder = AgUiEvents(Selection(EVERYTHING), RUN)
    encoder.opening()
    (*_, last) = events(encoder.snapshot(snapshot_at(batch_of("waiting"))))
    assert last["outcome"]["type"] == "interrupt" and encoder.over


def test_what_waits_for_others_ends_nothing() -> None:
    encoder = AgUiEvents(Selection(NOTHING), RUN)
    lines = [
        line.replace(b'"approvers":"visitor"', b'"approvers":"members"').replace(
            b'"question"', b'"client_tool"'
        )
        for line in batch_of("decided")[1]
    ]
    types, _, last = batch_of("decided")
    ended = events(encoder.opening() + encoder.events((types, lines, last)))[-1]
    assert ended["outcome"]["type"] == "success"


def test_nothing_follows_the_end() -> None:
    for name in WHOLE:
        encoder = AgUiEvents(Selection(EVERYTHING), RUN)
        encoder.events(batch_of(name))
        assert encoder.close(ClawError("unavailable", "Soon.")) == []
        assert encoder.events(batch_of(name)) == []
