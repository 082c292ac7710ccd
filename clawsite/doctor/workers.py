"""Whether anybody lives to carry out the runs that wait, where that is a process of its own."""

from collections.abc import Iterator

from django.db import DatabaseError

from clawsite.doctor.finding import Finding, problem, well
from conversations.process import backlog


def check_workers() -> Iterator[Finding]:
    """Findings about the workers; none if the database does not answer: another check says that."""
    try:
        work = backlog.look()
    except DatabaseError:
        return
    if work.problem:
        yield problem(
            "workers",
            f"{work.problem}.",
            "Start `manage.py work` (`systemctl start clawsite-worker`), or a server without "
            "`--no-work`.",
        )
    else:
        waiting = sum(work.runs.values())
        yield well("workers", f"{work.workers} live, and {waiting} runs wait or are under way.")
