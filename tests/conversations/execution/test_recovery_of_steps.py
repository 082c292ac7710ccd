"""`conversations.execution.recovery` of runs that have called tools, in one process."""

from pathlib import Path

import pytest

from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.models import Run
from tests.conversations.execution.asking import Desk, OneProvider
from tests.conversations.execution.crashes import CrashContract, Recover
from tests.conversations.parts import Parts


class TestEmbedded(CrashContract):
    @pytest.fixture
    def started(self, tmp_path: Path, transactional_db: None) -> Parts:
        """A process that is killed."""
        return Parts(tmp_path / "runs")

    @pytest.fixture
    def recover(self, started: Parts, tmp_path: Path) -> Recover:
        """A new process on the same files."""

        async def recovered(run: Run, pool: OneProvider, desk: Desk) -> Run:
            await started.log.aclose()
            parts = Parts(tmp_path / "runs")
            runner = parts.new_runner(providers=pool, open_toolbox=desk.open_for)
            parts.dispatcher = InlineDispatcher(runner)
            await parts.new_recovery().sweep()
            started.log = parts.log
            return await parts.ended(run)

        return recovered
