"""Decides, from the settings, which parts the product is made of.

A serving process calls `start()` in its event loop before it takes connections. Nothing else asks
which backend there is."""

import resource
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from django.conf import settings

from conversations.execution.acceptance import Acceptance
from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.execution.observers import Observers, ProgressTicker
from conversations.execution.recording.completion import assign_logs, complete_logs
from conversations.execution.recording.recorder import Recorder
from conversations.execution.recovery import Recovery
from conversations.execution.runner import Runner
from conversations.execution.setup.prompt import Prompts
from conversations.execution.setup.providers import ProviderPool
from conversations.execution.setup.toolbox import toolbox
from conversations.execution.waiting.mails import ApprovalMails
from conversations.feed.alerts import AlertWatcher
from conversations.feed.closing import Closing
from conversations.feed.feed import Feed
from conversations.feed.outbox import Outbox
from conversations.feed.runs import RunFeed
from conversations.feed.stores.local import DatabaseStore
from conversations.limits.memory import MemoryLimits
from conversations.process import metrics
from conversations.process.connections import Connections
from conversations.process.journal_lock import JournalLock
from conversations.process.revocation import Revocation
from conversations.process.services import Part, Services
from conversations.signals.activity import Activity
from conversations.signals.broadcast import Broadcast
from conversations.signals.channel import Signals
from engine.http.guard import Guard
from engine.log.file import FileLog
from engine.tools.mcp.pool import ServerPool
from knowledge.indexing import Indexer
from webhooks.deliverer import Deliverer

Begin: TypeAlias = Callable[[Feed, bool], Part]
"""Begins some work beside the runs. It gets the feed, and whether there are other processes."""


async def start(*, work: int | None = None, also: Iterable[Begin] = ()) -> Services:
    """Build the parts, and take up what an earlier process left.

    `work`: how many runs at once this process carries out when scaled out, 0 for none; without
    that, every process carries out all of its own. `also` begins what else works in a process that
    carries out runs. Raises `JournalBusy` if another serving process has the journal."""
    _raise_file_limit()
    signals = Signals()
    await signals.start()
    if settings.CLAW_SCALED_OUT:
        places = settings.CLAW_MAX_ACTIVE_RUNS if work is None else work
        services = await _scaled_out(signals, places, also)
    else:
        services = await _embedded(signals, also)
    services.present.start()
    return services


async def _embedded(signals: Signals, also: Iterable[Begin]) -> Services:
    """One process, nothing but its own files."""
    lock = JournalLock(settings.CLAW_DATA_DIR)
    await lock.acquire(settings.CLAW_SHUTDOWN_GRACE)
    log = FileLog(
        settings.CLAW_DATA_DIR,
        retention=settings.CLAW_LOG_RETENTION,
        owner_bytes=settings.CLAW_MAX_JOURNAL_BYTES_PER_ORGANISATION,
    )
    recorder, providers, prompts = Recorder(), ProviderPool(), Prompts()
    mcp_servers = ServerPool(Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS))
    dispatcher: InlineDispatcher  # of the runs that tools begin
    open_toolbox = partial(toolbox, servers=mcp_servers, dispatcher=lambda: dispatcher)
    feed, connections = Feed(DatabaseStore(settings.CLAW_FEED_RETENTION), signals), Connections()
    run_feed = RunFeed(feed)
    observers, closing = _observers(run_feed), Closing(feed.store, run_feed)
    runner = Runner(log, recorder, providers, prompts, observers, open_toolbox)
    dispatcher = InlineDispatcher(runner)
    recovery = Recovery(log, dispatcher, recorder, prompts, observers, log.open_runs)
    progress = ProgressTicker(observers, dispatcher.handles)
    revocation, activity = Revocation(connections, dispatcher), Activity(signals)
    indexer, beside = Indexer(), _beside(feed)
    unfinished = log.unfinished()
    await assign_logs(log)
    await complete_logs(log, unfinished)
    activity.start()
    recovery.start()
    revocation.start()
    progress.start()
    feed.start()
    closing.start()
    indexer.start()
    for part in beside:
        part.start()
    return Services(
        log=log,
        activity=activity,
        acceptance=Acceptance(claimed=dispatcher.claimed),
        dispatcher=dispatcher,
        recorder=recorder,
        connections=connections,
        limits=MemoryLimits(),
        providers=providers,
        mcp_servers=mcp_servers,
        prompts=prompts,
        observers=observers,
        feed=feed,
        shared=False,
        background=(activity, signals, revocation, recovery, indexer),
        working=(*(begin(feed, False) for begin in also), progress, closing, *beside),
        lock=lock,
    )


async def _scaled_out(signals: Signals, work: int, also: Iterable[Begin]) -> Services:
    """Many processes on PostgreSQL and Redis."""
    # Redis and the queue are imported only where they are used.
    from conversations.execution.queue.dispatcher import QueueDispatcher, enqueue
    from conversations.execution.queue.worker import Worker
    from conversations.feed.stores.redis import RedisStore
    from conversations.limits.redis import RedisLimits
    from engine.log.redis.log import RedisLog

    log = RedisLog(settings.REDIS_URL, retention=settings.CLAW_LOG_RETENTION)
    recorder, providers, prompts = Recorder(enqueue), ProviderPool(), Prompts()
    mcp_servers = ServerPool(Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS))
    dispatcher: QueueDispatcher  # of the runs that tools begin
    open_toolbox = partial(toolbox, servers=mcp_servers, dispatcher=lambda: dispatcher)
    store = RedisStore(settings.REDIS_URL, settings.CLAW_FEED_RETENTION)
    feed, connections = Feed(store, signals), Connections()
    run_feed = RunFeed(feed)
    observers, closing = _observers(run_feed), Closing(store, run_feed)
    runner = Runner(log, recorder, providers, prompts, observers, open_toolbox)
    dispatcher = QueueDispatcher(runner, signals)
    progress = ProgressTicker(observers, dispatcher.handles)
    limits = RedisLimits(settings.REDIS_URL)
    revocation, broadcast = Revocation(connections, dispatcher), Broadcast(signals)
    activity = Activity(signals)
    activity.start()
    await limits.start()
    await dispatcher.start()
    await broadcast.start()
    revocation.start()
    progress.start()
    feed.start()
    closing.start()
    working: tuple[Part, ...] = (progress, closing, limits)
    if work:
        recovery = Recovery(log, dispatcher, recorder, prompts, observers)
        worker = Worker(dispatcher, recovery, work)
        worker.start()
        indexer, beside = Indexer(), _beside(feed)
        indexer.start()
        for part in beside:
            part.start()
        more = [begin(feed, True) for begin in also]
        working = (*more, worker, indexer, *beside, *working)
    return Services(
        log=log,
        activity=activity,
        acceptance=Acceptance(enqueue),
        dispatcher=dispatcher,
        recorder=recorder,
        connections=connections,
        limits=limits,
        providers=providers,
        mcp_servers=mcp_servers,
        prompts=prompts,
        observers=observers,
        feed=feed,
        shared=True,
        background=(activity, broadcast, signals, revocation),
        working=(dispatcher, *working),
        probes={"redis": limits.answers},
    )


def _beside(feed: Feed) -> tuple[Outbox | Deliverer | ApprovalMails | AlertWatcher, ...]:
    """The parts that tell others what happens, in every process that carries out runs."""
    return Outbox(feed), Deliverer(), ApprovalMails(), AlertWatcher(feed)


def _observers(run_feed: RunFeed) -> Observers:
    """The observers of all runs, in both modes."""
    return Observers(metrics.RunMetrics(), run_feed)


def _raise_file_limit() -> None:
    """A run holds its journal and a watcher its socket: the usual soft limit of 1024 is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
