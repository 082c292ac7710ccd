"""`core.tracing`: ids belong to a task, and to those that it starts."""

import asyncio
import contextvars

from core.tracing import trace, traced


async def test_it_works() -> None:
    trace(request="req_1")
    trace(organization="org_1")
    assert traced() == {"request": "req_1", "organization": "org_1"}


async def test_tasks_do_not_share_what_they_add() -> None:
    async def run(name: str) -> dict[str, str]:
        trace(run=name)
        await asyncio.sleep(0)
        return traced()

    trace(request="req_1")
    one, other = await asyncio.gather(run("run_1"), run("run_2"))
    assert one == {"request": "req_1", "run": "run_1"}
    assert other == {"request": "req_1", "run": "run_2"}
    assert traced() == {"request": "req_1"}


def test_a_fresh_context_has_none() -> None:
    trace(request="req_1")
    assert contextvars.Context().run(traced) == {}
