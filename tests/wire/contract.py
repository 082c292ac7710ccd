"""What every encoder keeps. A protocol's test derives from `EncoderContract` and says how its
client reads. Each test goes through all fixtures, because pytest takes ten times as long to run a
test as an encoder to tell a run."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product

import msgspec

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

    def test_a_client_reads_the_text_of_the_run(self) -> None:
        for name, merge in product(fixtures.NAMES, [False, True]):
            expected = str(fold_all(batch_of(name)[1]).text)
            whole = self.told(self.encoder(merge=merge), [batch_of(name)])
            assert self.text(whole) == expected, (name, merge)
            assert not self.left_open(whole), (name, merge)

    def test_the_cut_into_batches_does_not_matter(self) -> None:
        for name, size in product(fixtures.NAMES, [1, 2, 3]):
            whole = self.told(self.encoder(), [batch_of(name)])
            batches = cut(batch_of(name), size)
            assert b"".join(self.told(self.encoder(), batches)) == b"".join(whole), (name, size)
            merged = self.told(self.encoder(merge=True), batches)
            assert self.text(merged) == self.text(whole), (name, size)

    def test_nothing_stays_open_wherever_it_is_closed(self) -> None:
        error = ClawError("unavailable", "The server restarts.")
        for name in fixtures.NAMES:
            batches = cut(batch_of(name), 1)
            for end, problem in product(range(len(batches) + 1), (None, error)):
                encoder = self.encoder()
                writes = encoder.opening()
                for batch in batches[:end]:
                    writes = writes + encoder.events(batch)
                closed = writes + encoder.close(problem)
                assert not self.left_open(closed), (name, end, problem)

    def test_nothing_is_open_once_a_run_is_done(self) -> None:
        for name in WHOLE:
            encoder = self.encoder()
            assert not self.left_open(encoder.opening() + encoder.events(batch_of(name))), name

    def test_a_snapshot_stands_for_what_came_before_it(self) -> None:
        for name in fixtures.NAMES:
            batches = cut(batch_of(name), 1)
            expected = str(fold_all(batch_of(name)[1]).text)
            for at in range(1, len(batches)):
                encoder = self.encoder()
                lines = [line for _, (line,), _ in batches[:at]]
                writes = encoder.opening() + encoder.snapshot(snapshot_at(([], lines, at)))
                for batch in batches[at:]:
                    writes = writes + encoder.events(batch)
                assert self.text(writes + encoder.close()) == expected, (name, at)

    def test_a_keepalive_says_nothing(self) -> None:
        for name in fixtures.NAMES:
            encoder, batches = self.encoder(), cut(batch_of(name), 1)
            writes = encoder.opening() + encoder.keepalive()
            for batch in batches:
                writes = writes + encoder.events(batch) + encoder.keepalive()
            expected = str(fold_all(batch_of(name)[1]).text)
            assert self.text(writes + encoder.close()) == expected, name

    def test_what_a_visitor_may_not_see_does_not_come(self) -> None:
        for name in fixtures.NAMES:
            self.hidden(name)

    def hidden(self, name: str) -> None:
        """A visitor who may see the text only is told nothing else of this fixture."""
        encoder = self.encoder(everything=False)
        batch = batch_of(name)
        told = b"".join(self.told(encoder, [batch]) + encoder.snapshot(snapshot_at(batch)))
        folded = fold_all(batch[1])
        assert b'"inputTokens"' not in told and b'"blocks"' not in told, name
        if folded.thinking.size:
            assert msgspec.json.encode(str(folded.thinking))[1:-1] not in told, name
        decided = [
            decode(line).id
            for type_, line in zip(*batch[:2], strict=True)
            if type_ in ("approval_required", "question") or b'"client":true' in line
        ]
        for tool in folded.tools:
            assert tool.id.encode() not in told or tool.id in decided, name

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
