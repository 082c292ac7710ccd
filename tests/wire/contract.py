"""What every encoder keeps. A protocol's test derives from `EncoderContract` and says how its
client reads."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import pytest

from engine.errors import ClawError
from engine.events import Batch, decode
from engine.transcript import fold_all
from tests import fixtures
from wire.encoder import Encoder, Encoding
from wire.frames import Snapshot
from wire.selection import Selection
from wire.snapshot import snapshot_of
from wire.visibility import EVERYTHING, visible

RUN = "run_1"
NOTHING = visible(trusted=False, show_thinking=False, show_tools=False)
WHOLE = [name for name in fixtures.NAMES if fixtures.load(name)["events"][-1]["type"] == "done"]


def batch_of(name: str) -> Batch:
    """The events of a fixture, all at once."""
    events = fixtures.load(name)["events"]
    return (
        [event["type"] for event in events],
        [msgspec.json.encode(event) for event in events],
        events[-1]["seq"],
    )


def cut(batch: Batch, size: int) -> list[Batch]:
    """The same events, at most `size` at a time."""
    types, lines, last = batch
    first = last - len(lines)
    return [
        (types[at : at + size], lines[at : at + size], min(first + at + size, last))
        for at in range(0, len(lines), size)
    ]


def snapshot_at(batch: Batch) -> Snapshot:
    """The snapshot of the run after these events."""
    return snapshot_of(fold_all(batch[1]), datetime.fromisoformat(fixtures.CREATED))


class EncoderContract:
    """The suite."""

    protocol: type[Encoder]

    def text(self, writes: Sequence[bytes]) -> str:
        """The text of the answer, as the protocol's client puts it together."""
        raise NotImplementedError

    def left_open(self, writes: Sequence[bytes]) -> bool:
        """Whether the client still waits for the end of a part, such as a text or a tool call."""
        return False

    def encoder(self, *, merge: bool = False, everything: bool = True) -> Encoder:
        selection = Selection(EVERYTHING if everything else NOTHING, merge=merge)
        return Encoding(self.protocol, selection).encoder(RUN)

    def told(self, encoder: Encoder, batches: Sequence[Batch]) -> list[bytes]:
        """Everything that the client gets of a run."""
        writes = encoder.opening()
        for batch in batches:
            writes = writes + encoder.events(batch)
        return writes + encoder.close()

    @pytest.mark.parametrize("name", fixtures.NAMES)
    @pytest.mark.parametrize("merge", [False, True])
    def test_a_client_reads_the_text_of_the_run(self, name: str, merge: bool) -> None:
        expected = str(fold_all(batch_of(name)[1]).text)
        whole = self.told(self.encoder(merge=merge), [batch_of(name)])
        assert self.text(whole) == expected
        assert not self.left_open(whole)

    @pytest.mark.parametrize("name", fixtures.NAMES)
    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_the_cut_into_batches_does_not_matter(self, name: str, size: int) -> None:
        whole = self.told(self.encoder(), [batch_of(name)])
        assert b"".join(self.told(self.encoder(), cut(batch_of(name), size))) == b"".join(whole)
        merged = self.told(self.encoder(merge=True), cut(batch_of(name), size))
        assert self.text(merged) == self.text(whole)

    @pytest.mark.parametrize("name", fixtures.NAMES)
    def test_nothing_stays_open_wherever_it_is_closed(self, name: str) -> None:
        batches = cut(batch_of(name), 1)
        error = ClawError("unavailable", "The server restarts.")
        for end in range(len(batches) + 1):
            for problem in (None, error):
                encoder = self.encoder()
                writes = encoder.opening()
                for batch in batches[:end]:
                    writes = writes + encoder.events(batch)
                assert not self.left_open(writes + encoder.close(problem)), (end, problem)

    @pytest.mark.parametrize("name", WHOLE)
    def test_nothing_is_open_once_a_run_is_done(self, name: str) -> None:
        encoder = self.encoder()
        assert not self.left_open(encoder.opening() + encoder.events(batch_of(name)))

    @pytest.mark.parametrize("name", fixtures.NAMES)
    def test_a_snapshot_stands_for_what_came_before_it(self, name: str) -> None:
        batches = cut(batch_of(name), 1)
        expected = str(fold_all(batch_of(name)[1]).text)
        for at in range(1, len(batches)):
            encoder = self.encoder()
            lines = [line for _, (line,), _ in batches[:at]]
            writes = encoder.opening() + encoder.snapshot(snapshot_at(([], lines, at)))
            for batch in batches[at:]:
                writes = writes + encoder.events(batch)
            assert self.text(writes + encoder.close()) == expected

    @pytest.mark.parametrize("name", fixtures.NAMES)
    def test_a_keepalive_says_nothing(self, name: str) -> None:
        encoder, batches = self.encoder(), cut(batch_of(name), 1)
        writes = encoder.opening() + encoder.keepalive()
        for batch in batches:
            writes = writes + encoder.events(batch) + encoder.keepalive()
        assert self.text(writes + encoder.close()) == str(fold_all(batch_of(name)[1]).text)

    @pytest.mark.parametrize("name", fixtures.NAMES)
    def test_what_a_visitor_may_not_see_does_not_come(self, name: str) -> None:
        encoder = self.encoder(everything=False)
        batch = batch_of(name)
        told = b"".join(self.told(encoder, [batch]) + encoder.snapshot(snapshot_at(batch)))
        folded = fold_all(batch[1])
        assert b'"inputTokens"' not in told and b'"blocks"' not in told
        if folded.thinking.size:
            assert msgspec.json.encode(str(folded.thinking))[1:-1] not in told
        decided = [
            decode(line).id
            for type_, line in zip(*batch[:2], strict=True)
            if type_ in ("approval_required", "question") or b'"client":true' in line
        ]
        for tool in folded.tools:
            assert tool.id.encode() not in told or tool.id in decided

    def test_a_batch_stays_as_it_is(self) -> None:
        batch = batch_of("tools")
        before = ([*batch[0]], [*batch[1]], batch[2])
        self.told(self.encoder(), [batch])
        self.told(self.encoder(merge=True, everything=False), [batch])
        assert batch == before

    def test_two_runs_do_not_meet(self) -> None:
        """Two encoders of one watcher share nothing."""
        encoding = Encoding(self.protocol, Selection(EVERYTHING))
        one, other = encoding.encoder(RUN), encoding.encoder(RUN)
        mixed: tuple[list[bytes], list[bytes]] = (one.opening(), other.opening())
        for batch in cut(batch_of("complete"), 1):
            mixed = (mixed[0] + one.events(batch), mixed[1] + other.events(batch))
        alone = self.told(self.encoder(), cut(batch_of("complete"), 1))
        assert mixed[0] + one.close() == mixed[1] + other.close() == alone
