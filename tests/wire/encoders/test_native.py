"""`wire.encoders.native`: the events of the log, on a socket and as an event stream."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.events import type_of
from engine.transcript import fold_all
from tests import fixtures
from tests.wire.contract import RUN, EncoderContract, batch_of, snapshot_at
from wire import sse
from wire.encoder import Encoding
from wire.encoders.native import SocketFrames, SseEvents
from wire.parse import dumps
from wire.selection import Selection
from wire.visibility import EVERYTHING


def folded_text(frames: list[bytes]) -> str:
    """The text that a client of the native protocol has after these frames."""
    text = ""
    for at, frame in enumerate(frames):
        if type_of(frame) == "snapshot":
            base: Any = msgspec.json.decode(frame)
            text, frames_left = base["message"]["content"], frames[at + 1 :]
            return str(text) + folded_text(frames_left)
    return str(fold_all([frame for frame in frames if b'"seq"' in frame]).text)


def read(stream: bytes) -> list[bytes]:
    """The data of each event, as the HTML standard has it."""
    events, data = [], []
    for line in stream.split(b"\n"):
        if line.startswith(b"data: "):
            data.append(line.removeprefix(b"data: "))
        elif not line and data:
            events.append(b"\n".join(data))
            data = []
    return events


class TestSocketFrames(EncoderContract):
    protocol = SocketFrames

    def text(self, writes: Sequence[bytes]) -> str:
        return folded_text(list(writes))

    def test_what_is_not_changed_is_passed_through_untouched(self) -> None:
        _, lines, last = batch_of("complete")
        tokens = [line for line in lines if type_of(line) == "token"]
        batch = (["token"] * len(tokens), tokens, last)
        assert self.encoder().events(batch) is tokens

    def test_a_snapshot_may_answer_a_frame(self) -> None:
        snapshot = msgspec.structs.replace(snapshot_at(batch_of("tools")), reply_to=7)
        (frame,) = self.encoder().snapshot(snapshot)
        assert msgspec.json.decode(frame)["replyTo"] == 7


class TestSseEvents(EncoderContract):
    protocol = SseEvents

    def text(self, writes: Sequence[bytes]) -> str:
        return folded_text(read(b"".join(writes)))

    def test_each_event_has_its_position(self) -> None:
        types, lines, last = batch_of("complete")
        writes = self.encoder().events((types, lines, last))
        shown = [(n, line) for n, line in enumerate(lines, 1) if type_of(line) != "step"]
        assert writes == [sse.FRAME % (RUN.encode(), n, line) for n, line in shown]

    def test_the_opening_names_the_run_and_the_position(self) -> None:
        assert self.encoder().opening(7) == [sse.opening(RUN, 7)]
        assert Encoding(SseEvents, Selection(EVERYTHING)).encoder().opening() == [sse.OPENING]

    @pytest.mark.parametrize("name", fixtures.NAMES)
    def test_a_snapshot_has_the_position_up_to_which_it_goes(self, name: str) -> None:
        snapshot = snapshot_at(batch_of(name))
        (write,) = self.encoder().snapshot(snapshot)
        assert write == sse.FRAME % (RUN.encode(), snapshot.last_seq, dumps(snapshot))
