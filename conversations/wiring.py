"""The one place that decides which parts the product is made of, from the settings.

A serving process calls `start()` in its event loop before it takes connections, and `stop()` after
it has told them to go. Nothing else asks which backend there is."""

import asyncio
import resource
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from django.conf import settings

from accounts.database import close_database
from conversations import metrics
from conversations.acceptance import Acceptance
from conversations.activity import Activity
from conversations.broadcast import Broadcast
from conversations.connections import Connections
from conversations.execution.dispatch import Dispatcher, InlineDispatcher
from conversations.execution.providers import ProviderPool
from conversations.execution.recorder import Recorder
from conversations.execution.recovery import Recovery, complete_logs
from conversations.execution.runner import Runner
from conversations.journal_lock import JournalLock
from conversations.limits.base import Limits
from conversations.limits.memory import MemoryLimits
from conversations.revocation import Revocation
from conversations.signals import Signals
from engine.log.base import Log
from engine.log.file import FileLog

Probe: TypeAlias = Callable[[], Awaitable[bool]]


class Part(Protocol):
    """Something that works in the background for as long as the process serves."""

    async def stop(self) -> None:
        """End it, and wait until it has."""
        ...


@dataclass(frozen=True)
class Services:
    """Everything that lives as long as the serving process.

    `shared`: other processes go on with the runs of this one, and answer those that wait in line.
    `background` is stopped before the runs drain, `working` after that; `probes` say whether the
    services beside the database are there."""

    log: Log
    activity: Activity
    acceptance: Acceptance
    dispatcher: Dispatcher
    recorder: Recorder
    connections: Connections
    limits: Limits
    providers: ProviderPool
    shared: bool
    background: tuple[Part, ...]
    working: tuple[Part, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    lock: JournalLock | None = None


_services: Services | None = None


def services() -> Services:
    """The parts of this serving process. Raises RuntimeError outside of one."""
    if _services is None:
        raise RuntimeError("the run engine is not started: use `manage.py serve` or `runserver`")
    return _services


async def start(*, work: int | None = None) -> Services:
    """Build the parts, and take up what an earlier process left.

    `work`: how many runs at once this process carries out when scaled out, 0 for none; without
    that, every process carries out all of its own. Raises `JournalBusy` if another serving process
    has the journal."""
    global _services
    _raise_file_limit()
    signals = Signals()
    await signals.start()
    if settings.CLAW_SCALED_OUT:
        _services = await _scaled_out(
            signals, settings.CLAW_MAX_ACTIVE_RUNS if work is None else work
        )
    else:
        _services = await _embedded(signals)
    metrics.PRESENT.watch(_present)
    return _services


async def _embedded(signals: Signals) -> Services:
    """One process, nothing but its own files."""
    lock = JournalLock(settings.CLAW_DATA_DIR)
    await lock.acquire(settings.CLAW_SHUTDOWN_GRACE)
    log = FileLog(settings.CLAW_DATA_DIR, retention=settings.CLAW_LOG_RETENTION)
    recorder, providers, connections = Recorder(), ProviderPool(), Connections()
    dispatcher = InlineDispatcher(Runner(log, recorder, providers))
    recovery = Recovery(log, dispatcher, recorder, log.open_runs)
    revocation = Revocation(connections, dispatcher)
    await complete_logs(log, log.unfinished())
    recovery.start()
    revocation.start()
    return Services(
        log=log,
        activity=Activity(signals),
        acceptance=Acceptance(claimed=dispatcher.claimed),
        dispatcher=dispatcher,
        recorder=recorder,
        connections=connections,
        limits=MemoryLimits(),
        providers=providers,
        shared=False,
        background=(signals, revocation, recovery),
        lock=lock,
    )


async def _scaled_out(signals: Signals, work: int) -> Services:
    """Many processes on PostgreSQL and Redis."""
    # Redis and the queue are imported only where they are used.
    from conversations.execution.queue import QueueDispatcher, enqueue
    from conversations.execution.worker import Worker
    from conversations.limits.redis import RedisLimits
    from engine.log.redis import RedisLog

    log = RedisLog(settings.REDIS_URL, retention=settings.CLAW_LOG_RETENTION)
    recorder, providers, connections = Recorder(enqueue), ProviderPool(), Connections()
    dispatcher = QueueDispatcher(Runner(log, recorder, providers), signals)
    limits = RedisLimits(settings.REDIS_URL)
    revocation, broadcast = Revocation(connections, dispatcher), Broadcast(signals)
    await limits.start()
    await dispatcher.start()
    await broadcast.start()
    revocation.start()
    working: tuple[Part, ...] = (limits,)
    if work:
        worker = Worker(dispatcher, Recovery(log, dispatcher, recorder), work)
        worker.start()
        working = (worker, limits)
    return Services(
        log=log,
        activity=Activity(signals),
        acceptance=Acceptance(enqueue),
        dispatcher=dispatcher,
        recorder=recorder,
        connections=connections,
        limits=limits,
        providers=providers,
        shared=True,
        background=(broadcast, signals, revocation),
        working=(dispatcher, *working),
        probes={"redis": limits.answers},
    )


async def announce_shutdown(patience: float) -> None:
    """Take no more runs; tell everybody to come back, and give them `patience` seconds to go."""
    parts = services()
    parts.dispatcher.draining = True
    await parts.connections.shut_down(patience)


async def stop(grace: float) -> None:
    """`drain` and `release`."""
    await drain(grace)
    await release()


async def drain(grace: float) -> None:
    """Let running answers finish for `grace` seconds, here and for those who wait here for an
    answer from elsewhere; let go of the rest."""
    parts = services()
    time = asyncio.get_running_loop().time
    deadline = time() + grace
    for part in parts.background:
        await part.stop()
    await parts.dispatcher.drain(grace)
    if not parts.shared:  # what waits in line is answered by nobody now: say so to who waits for it
        await parts.log.aclose()
    await parts.connections.answered(deadline - time())


async def release() -> None:
    """Give back everything, once no request needs it any more."""
    global _services
    parts = services()
    for part in parts.working:
        await part.stop()
    await parts.acceptance.aclose()
    await parts.recorder.aclose()
    await parts.providers.aclose()
    await parts.log.aclose()
    await close_database()
    if parts.lock is not None:
        parts.lock.release()
    _services = None


def _present() -> dict[str, dict[str, int]]:
    """What the gauges show."""
    parts = services()
    return {
        "connections": {"open": len(parts.connections)},
        "live_runs": parts.dispatcher.states(),
        "journals": parts.log.counts(),
        "tasks": {"pending": len(asyncio.all_tasks())},
    }


def _raise_file_limit() -> None:
    """A run holds its journal and a watcher its socket: the usual soft limit of 1024 is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
