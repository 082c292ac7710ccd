"""`conversations.process.backlog`: what is still to do, and whether anybody lives to do it."""

from agents.caller import Caller
from conversations.process import backlog
from conversations.process.backlog import Backlog
from tests.conversations.parts import ask


def test_it_works(caller: Caller) -> None:
    ask(caller)
    work = backlog.look()
    assert (work.runs["queued"], work.workers, work.problem) == (1, 1, None)


def test_runs_without_a_worker_are_a_problem() -> None:
    assert Backlog({"queued": 2, "running": 1}, 0).problem == "3 runs wait and no worker lives"
    assert Backlog({"queued": 0, "running": 0}, 0).problem is None
    assert Backlog({"queued": 0, "waiting": 5}, 0).problem is None  # they wait for somebody else
