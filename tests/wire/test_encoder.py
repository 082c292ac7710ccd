"""`wire.encoder`: the seam, with an encoder that keeps state."""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

import msgspec
import pytest

from engine.errors import ClawError
from engine.events import Batch
from tests.wire import encoders
from tests.wire.contract import EncoderContract
from wire.encoder import ENCODERS
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.selection import Selection


class Parts:
    """Text in parts that begin and end, as many protocols have it."""

    on_disconnect: ClassVar[OnDisconnect | None] = "cancel"

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        self._selection, self._open = selection, False

    def opening(self, after: int = 0) -> list[bytes]:
        return [b"hello\n"]

    def events(self, batch: Batch) -> list[bytes]:
        writes: list[bytes] = []
        for _, type_, data in self._selection.select(batch):
            event: Any = msgspec.json.decode(data)
            if type_ == "token":
                writes += self._text(event["content"])
            elif type_ in ("tool_call", "message_complete", "cancelled", "error"):
                writes += [*self._end(), b"%b\n" % type_.encode()]
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        return [*self._end(), b"reset\n", *self._text(snapshot.message.content)]

    def keepalive(self) -> list[bytes]:
        return [b"\n"]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        return [*self._end(), *([b"failed %b\n" % error.code.encode()] if error else [])]

    def _text(self, text: str) -> list[bytes]:
        begin = [] if self._open else [b"begin\n"]
        self._open = True
        return [*begin, b"text %b\n" % msgspec.json.encode(text)]

    def _end(self) -> list[bytes]:
        was_open, self._open = self._open, False
        return [b"end\n"] if was_open else []


class TestParts(EncoderContract):
    protocol = Parts

    def text(self, writes: Sequence[bytes]) -> str:
        text = ""
        for line in b"".join(writes).split(b"\n"):
            if line == b"reset":
                text = ""
            elif line.startswith(b"text "):
                text += msgspec.json.decode(line.removeprefix(b"text "), type=str)
        return text

    def left_open(self, writes: Sequence[bytes]) -> bool:
        lines = b"".join(writes).split(b"\n")
        return lines.count(b"begin") != lines.count(b"end")


class Forgetful(Parts):
    """Leaves a text open when the run fails."""

    def close(self, error: ClawError | None = None) -> list[bytes]:
        return []


def test_the_suite_finds_an_encoder_that_leaves_a_part_open() -> None:
    class Suite(TestParts):
        protocol = Forgetful

    with pytest.raises(AssertionError):
        Suite().test_nothing_stays_open_wherever_it_is_closed()


def test_every_encoder_passes_the_suite() -> None:
    names = [module.name for module in iter_modules(encoders.__path__)]
    modules = [import_module(f"{encoders.__name__}.{name}") for name in names]
    tested = {
        suite.protocol
        for module in modules
        for suite in vars(module).values()
        if isinstance(suite, type)
        and issubclass(suite, EncoderContract)
        and suite is not EncoderContract
    }
    assert tested == set(ENCODERS.values())
