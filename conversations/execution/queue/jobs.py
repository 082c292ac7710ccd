"""The jobs of the queue. Imported only where there is a queue."""

from collections.abc import Awaitable, Callable

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

QUEUE = "runs"


class Performer:
    """Holds the function by which this process' worker performs a job; the worker sets it."""

    perform: Callable[[int, str], Awaitable[None]]


@app.task(
    name="conversations.execute_run",
    queue=QUEUE,
    pass_context=True,
    retry=RetryStrategy(wait=1, linear_wait=1),
)
async def execute_run(context: JobContext, run_id: str) -> None:
    """Execute a run, or what is left of it. Raises what keeps it from being stored, so that the
    job is tried again."""
    assert context.job.id is not None
    await Performer.perform(context.job.id, run_id)
