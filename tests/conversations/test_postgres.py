"""What two databases may answer differently, once more on PostgreSQL.

Another process, because Django's settings name one database; pytest makes and drops it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from tests.services import POSTGRES_URL

HERE = Path(__file__).parent
TESTS = (
    "execution/test_acceptance.py::test_p7_twenty_at_once_create_one",
    "execution/test_acceptance.py::test_of_many_first_messages_at_once_one_creates_the_conversation",
    "../accounts/test_idempotency.py::test_p7_of_twenty_at_once_one_is_carried_out",
    "../agents/api/test_agents.py::test_only_who_knows_the_present_version_changes_it",
    "../agents/api/test_keys.py::test_p24_other_agents_are_named_only_by_who_opens_them",
    "usage/test_reading.py",
    "usage/test_budgets.py",
    "../metering",
    "access/test_access.py::test_p25_what_is_foreign_is_answered_like_what_is_missing",
    "history/search",
    "history/test_page.py::test_p24_a_cursor_of_another_conversation_is_no_cursor",
    "process/test_journal_lock.py::test_another_journal_is_another_lock",
    "execution/test_acceptance.py::test_an_agent_that_is_gone_is_said_to_be",
    "test_order.py",
    "execution/test_acceptance.py::test_messages_that_come_together_share_one_transaction",
    "execution/test_claim.py::test_of_many_at_once_one_gets_it",
    "execution/test_claim.py::test_many_are_claimed_in_one_step",
    "execution/test_claim.py::test_one_that_is_not_to_be_had_keeps_no_other_from_it",
    "execution/test_claim.py::test_a_run_is_taken_though_the_one_before_it_is_still_ending",
    "execution/recording/test_recorder.py",
    "execution/waiting/test_waiting.py",
    "execution/recording/test_storable.py",
    "execution/setup/test_prompt.py",
    "execution/recording/test_steps.py",
    "execution/setup/test_toolbox.py::test_a_later_run_sends_calls_and_results_of_the_earlier_one",
    "execution/test_acceptance.py::test_a_request_that_the_database_refuses_fails_alone",
    "../core/test_loading.py",
    "usage/test_spending.py",
    "feed/stores/test_local.py",
    "access/test_erasing.py",
    "../core/test_statements.py",
    "../knowledge/search/test_search.py",
    "../knowledge/test_indexing.py",
    "../knowledge/test_retrieval.py",
)


QUEUE = ("execution/queue",)


@pytest.mark.timeout(450)
@pytest.mark.postgres
def test_they_hold_on_postgresql() -> None:
    run(TESTS)


@pytest.mark.timeout(450)
@pytest.mark.postgres
@pytest.mark.redis
def test_the_queue_works(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    try:
        run(QUEUE, REDIS_URL=redis.url)
    finally:
        redis.stop()


def run(tests: Sequence[str], **settings: str) -> None:
    database = f"{POSTGRES_URL.rpartition('/')[0]}/clawsite_{os.getpid()}"
    command = [sys.executable, "-m", "pytest", *(f"{HERE}/{test}" for test in tests)]
    done = subprocess.run(
        command,
        # No test cuts the power: not to wait for the disk makes them three times as fast.
        env={
            **os.environ,
            "DATABASE_URL": database,
            "PGOPTIONS": "-c synchronous_commit=off",
            **settings,
        },
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
