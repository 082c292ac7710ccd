"""What a token costs on its way from the model server's socket to a watcher's: counts, not times.

The ceilings are what was counted when they were written. Whoever raises one says why; whoever
lowers the cost lowers it. `make bench` says what that means in microseconds."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from agents.caller import Caller
from agents.models import Agent, ApiKey
from conversations.models import Run
from conversations.process.services import Services
from conversations.runs.start import start_run
from conversations.transports.ws.pump import Pump
from engine.events import Token, decode
from engine.log.base import Log
from tests.agents.callers import caller_of
from tests.ports import free_port
from tests.upstream.process import UpstreamProcess
from wire.encoder import ENCODERS, Encoding
from wire.native import ChatRequest
from wire.selection import Selection
from wire.visibility import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{ROOT / name}/" for name in ("engine", "wire", "conversations", "clawsite"))
TOKENS, WARM = 300, 50

MAX_CALLS = 26  # of our functions, for a token; two were the event loop's before decision 11
MAX_WAKE_UPS = 1.5  # of the event loop: one for a read of the socket, and what sweeps need


class Counts:
    """What happens in this thread while it is looked at."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.wake_ups = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call":
            return
        if code.co_filename.startswith(OURS) and not code.co_name.startswith("<"):
            self.calls[f"{Path(code.co_filename).stem}.{code.co_name}"] += 1
        elif code.co_name == "_run" and code.co_filename.endswith("asyncio/events.py"):
            self.wake_ups += 1


@contextmanager
def counting() -> Iterator[Counts]:
    counts, before = Counts(), sys.getprofile()
    sys.setprofile(counts)
    try:
        yield counts
    finally:
        sys.setprofile(before)


class Watcher:
    """Somebody whose socket always takes what it is given."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.ended = asyncio.Event()
        self._waits: tuple[int, asyncio.Event] | None = None

    def write(self, frames: list[bytes]) -> bool:
        self.frames += frames
        if self._waits is not None and len(self.frames) >= self._waits[0]:
            self._waits[1].set()
        return True

    async def send(self, data: bytes) -> None:
        self.write([data])

    async def until(self, frames: int) -> None:
        """Wait for so many in all."""
        self._waits = frames, asyncio.Event()
        if len(self.frames) < frames:
            await asyncio.wait_for(self._waits[1].wait(), 60)

    def watch(self, log: Log, run: Run) -> Pump:
        """Follow it as a WebSocket does."""
        encoding = Encoding(ENCODERS["websocket"], Selection(EVERYTHING))
        return Pump(
            log,
            run,
            0,
            encoding.encoder(run.pk),
            send=self.send,
            write=self.write,
            ended=lambda pump, done: self.ended.set(),
        )


@pytest.fixture
def upstream() -> Iterator[UpstreamProcess]:
    """The model server as a process of its own, so that only our side is counted."""
    with UpstreamProcess(free_port()) as process:
        yield process


@pytest.fixture
def asking(agent: Agent, key: tuple[ApiKey, str], upstream: UpstreamProcess, settings) -> Caller:
    """Who asks an agent that the model server answers."""
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY = upstream.url, "sk-test"
    agent.provider, agent.model, agent.organization.platform_credentials = "anthropic", "m", True
    agent.organization.save()
    agent.save()
    return caller_of(key[0], agent)


async def test_what_a_token_costs(services: Services, asking: Caller) -> None:
    directive = f"[[upstream tokens={TOKENS} delay=2]]"
    run = (await start_run(services, asking, ChatRequest(message=directive))).run
    watcher = Watcher()
    pump = watcher.watch(services.log, run)
    pump.start()
    await watcher.until(WARM)
    begun = len(watcher.frames)
    with counting() as counts:
        await watcher.until(TOKENS - WARM)
    tokens = len(watcher.frames) - begun
    await asyncio.wait_for(watcher.ended.wait(), 60)
    await pump.stop()

    assert tokens >= TOKENS - 3 * WARM  # a machine that stands still brings some at once
    # Rounded: what is not done for every token (sweeps, leases) is not what is counted here.
    calls = {name: each for name, n in counts.calls.items() if (each := round(n / tokens))}
    assert sum(calls.values()) <= MAX_CALLS, calls
    assert counts.wake_ups / tokens <= MAX_WAKE_UPS
    events = [decode(frame) for frame in watcher.frames]
    indexes = [event.index for event in events if isinstance(event, Token)]
    assert indexes == list(range(TOKENS))  # one frame for each, in order
