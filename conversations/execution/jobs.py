"""The queue's only task. Imported where there is a queue, and nowhere else."""

from collections.abc import Awaitable, Callable

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

QUEUE = "runs"


class Performer:
    """What a worker does with a job; set by the process that has one."""

    perform: Callable[[int, str], Awaitable[None]]


@app.task(
    name="conversations.execute_run",
    queue=QUEUE,
    pass_context=True,
    retry=RetryStrategy(wait=1, linear_wait=1),
)
async def execute_run(context: JobContext, run_id: str) -> None:
    """Carry out a run, or what is left of it. Raises what keeps it from being stored: then the
    job is tried again."""
    assert context.job.id is not None
    await Performer.perform(context.job.id, run_id)
