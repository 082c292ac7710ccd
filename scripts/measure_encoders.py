"""`python -m scripts.measure_encoders` says what a token costs in each protocol, beside native SSE.

All protocols encode the same events in turn, many times; of each the cheapest round counts, so that
what else the machine does falls on none of them."""

import time
from collections.abc import Iterator

from engine.events import Batch
from wire.encoder import ENCODERS
from wire.selection import Selection
from wire.visibility import EVERYTHING

NATIVE = "sse"
PROTOCOLS = (NATIVE, "completions", "responses", "ai-sdk", "ag-ui", "mcp")
RUN = "run_uYPIcnJvgTPrnvMuqW4yFn"
TOKENS, ROUNDS = 10_000, 15


def batches(tokens: int) -> Iterator[Batch]:
    """So many tokens, each alone, as a model sends them."""
    for index in range(tokens):
        event = (
            f'{{"type":"token","content":"word ","index":{index},"runId":"{RUN}","seq":{index}}}'
        )
        yield (["token"], [event.encode()], index + 1)


def seconds(protocol: str, tokens: int) -> float:
    """The time of this process for so many tokens."""
    encoder = ENCODERS[protocol](Selection(EVERYTHING), RUN)
    encoder.opening()
    sent = list(batches(tokens))
    encoder.events(sent[0])
    begun = time.process_time()
    for batch in sent[1:]:
        encoder.events(batch)
    return time.process_time() - begun


def measure(tokens: int = TOKENS, rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds for a token in each protocol."""
    found = {name: float("inf") for name in PROTOCOLS}
    for _ in range(rounds):
        for name in PROTOCOLS:
            found[name] = min(found[name], seconds(name, tokens) / tokens * 1e6)
    return found


if __name__ == "__main__":
    costs = measure()
    for name, cost in costs.items():
        print(f"{name:12} {cost:5.2f} us  {cost / costs[NATIVE]:4.2f} times {NATIVE}")
