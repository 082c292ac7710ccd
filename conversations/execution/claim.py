"""Claims runs: each attempt at a run belongs to one process."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.config import AgentConfig
from conversations.models import Run, RunStatus, may_become


@dataclass(frozen=True)
class ClaimedRun:
    """One attempt at one run. `attempt` is a copy: a later claim counts up that of `run`."""

    run: Run
    attempt: int

    @property
    def agent(self) -> AgentConfig:
        """The agent as it was when the run was accepted."""
        return agent_of(self.run)


def agent_of(run: Run) -> AgentConfig:
    """The agent as it was when the run was accepted."""
    return AgentConfig.stored(run.config)


def claim(runs: list[Run]) -> list[ClaimedRun | None]:
    """Take each run for its next attempt.

    The result is None for a run that the caller may not take: another run of the conversation is
    active or comes first, it was cancelled, it waits and nobody has woken it, or another attempt
    has it. Synchronous; one database
    step."""
    if not _take(runs):
        if len(runs) > 1:
            return [claim([run])[0] for run in runs]
        if not _take_in_line(runs[0]):
            return [None]
    return [ClaimedRun(run, run.attempt) for run in runs]


def begin(runs: Iterable[Run], now: datetime) -> None:
    """Begin the next attempt of each run: sets the fields that a claim stores."""
    for run in runs:
        if run.status != RunStatus.WAITING:
            run.started_at = now
        run.status, run.attempt = RunStatus.RUNNING, run.attempt + 1
        run.waits_until, run.woken = None, False


# Written in SQL because it runs between a question and its answer: Django needs longer to compose
# the statement than the database needs to carry it out.
TAKE = """
UPDATE conversations_run
   SET status = 'running', attempt = attempt + 1, waits_until = NULL, woken = FALSE,
       started_at = CASE WHEN status = 'waiting' THEN started_at ELSE %s END
 WHERE (id, attempt, status) IN (VALUES {runs})
   AND (status <> 'waiting' OR woken)
   AND (status <> 'queued' OR NOT EXISTS (
        SELECT 1 FROM conversations_run other
         WHERE other.conversation_id = conversations_run.conversation_id
           AND other.finished_at IS NULL
           AND other.id <> conversations_run.id
           AND (other.status IN ('running', 'waiting')
                OR other.status = 'queued'
                AND other.user_message_id < conversations_run.user_message_id)))
"""


def _take(runs: list[Run]) -> bool:
    """Take all of them or none."""
    if not {run.status for run in runs} <= may_become(RunStatus.RUNNING):
        return False
    now = timezone.now()
    as_found = [value for run in runs for value in (run.pk, run.attempt, run.status)]
    statement = TAKE.format(runs=", ".join(["(%s, %s, %s)"] * len(runs)))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [connection.ops.adapt_datetimefield_value(now), *as_found])
            if cursor.rowcount != len(runs):
                transaction.set_rollback(True)
                return False
    except IntegrityError:  # the conversation's other run became active in the same moment
        return False
    begin(runs, now)
    return True


def _take_in_line(run: Run) -> bool:
    """Take a run that another run comes before, in case that run is ending in this moment.

    The ending transaction may have looked for the next run before this run became visible, so
    nobody else would take it. The row locks make this call wait for that transaction. They are
    taken in the same order as there: the run, then the conversation."""
    if run.status != RunStatus.QUEUED:
        return False
    with transaction.atomic():
        locked = Run.objects.select_for_update(of=("self", "conversation"), no_key=True)
        found = locked.select_related("conversation").filter(pk=run.pk, status=run.status)
        return bool(found) and _take([run])
