"""`conversations.transports.rest.replay`: who sees every event of a run, and what was sent."""

from functools import partial

import pytest

from agents.auth import keys
from core.database import database_step
from tests.asgi import ask
from tests.conversations.history.talks import talk

pytestmark = pytest.mark.usefixtures("services")


@pytest.mark.parametrize("page", ["replay", "request"])
@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["monitor:read", "conversations:read"], 410),
        (["admin"], 410),
        (["chat", "conversations:read"], 403),
        (["chat", "monitor:read"], 403),
    ],
)
async def test_who_may_read_everything_is_told_that_the_log_is_gone(
    acme, visited, page, scopes, status
):
    _, token = await database_step(partial(keys.create_key, acme, name="a", scopes=scopes))
    assert (await ask("GET", f"/api/runs/{visited}/{page}", token=token))[0] == status


async def test_runs_of_others_are_unknown(visited, globex):
    _, stranger = await database_step(partial(keys.create_key, globex, name="a", scopes=["admin"]))
    status, told = await ask("GET", f"/api/runs/{visited}/replay", token=stranger)
    assert (status, told["error"]["code"]) == (404, "run_not_found")


@pytest.fixture
def visited(agent) -> str:
    """A visitor's run, whose log is no longer kept."""
    return str(talk(agent, "Hello").run_set.get().id)
