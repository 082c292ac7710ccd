"""`wire.encoders.batches`: so many tokens to one event."""

from collections.abc import Sequence

from tests.wire.contract import RUN, EncoderContract, batch_of, cut
from tests.wire.encoders.test_native import folded_text, read
from wire.encoder import Encoder
from wire.encoders.batches import BatchedEncoding, TokenBatches
from wire.encoders.native import SseEvents
from wire.selection import Selection
from wire.visibility import EVERYTHING

TOKEN = b'{"type":"token","content":"%d","index":%d,"runId":"run_1","seq":%d}'


def tokens(first: int, count: int) -> tuple[list[str], list[bytes], int]:
    numbers = range(first, first + count)
    return ["token"] * count, [TOKEN % (n, n, n + 1) for n in numbers], first + count


def batched(size: int) -> Encoder:
    return BatchedEncoding(SseEvents, Selection(EVERYTHING, merge=True), size=size).encoder(RUN)


class TestTokenBatches(EncoderContract):
    protocol = SseEvents

    def encoder(self, *, merge: bool = False, everything: bool = True) -> Encoder:
        return TokenBatches(super().encoder(merge=merge, everything=everything), 3)

    def text(self, writes: Sequence[bytes]) -> str:
        return folded_text(read(b"".join(writes)))

    def test_two_runs_do_not_meet(self) -> None:
        one, other = batched(3), batched(3)
        one.events(tokens(0, 2))
        assert other.events(tokens(0, 1)) == []


def test_it_works() -> None:
    encoder = batched(3)
    assert encoder.events(tokens(0, 2)) == []
    (write,) = encoder.events(tokens(2, 2))
    assert b'"content":"012"' in write
    assert write.startswith(b"id: run_1:3\n")
    first, second = encoder.events(tokens(4, 5))
    assert (b'"345"' in first, b'"678"' in second) == (True, True)
    assert encoder.close() == []


def test_another_event_lets_all_tokens_go() -> None:
    encoder = batched(1000)
    writes = [write for batch in cut(batch_of("complete"), 1) for write in encoder.events(batch)]
    assert sum(b'"token"' in write for write in writes) == 1
    assert b'"done"' in writes[-1]


def test_what_was_kept_back_comes_at_the_end() -> None:
    encoder = batched(10)
    encoder.events(tokens(0, 2))
    (write,) = encoder.close()
    assert b'"content":"01"' in write
