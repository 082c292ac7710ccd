"""`conversations.process.connections`: who is connected, told, and cut."""

import asyncio

import pytest

from agents.caller import Caller
from agents.models import ApiKey
from conversations.process.connections import Connections
from engine.errors import ClawError
from tests.agents.callers import caller_of


class Socket:
    """A connection that leaves when it is told, unless it is `stubborn`."""

    def __init__(
        self, connections: Connections, caller: Caller | None = None, stubborn: bool = False
    ):
        self.caller, self.stubborn = caller, stubborn
        self.told: list[str] = []
        self._connections = connections
        connections.add(self)

    def cut(self, error: ClawError) -> None:
        self.told.append(error.code)

    async def look_again(self) -> None:
        """Nobody's rights change here."""

    def announce_shutdown(self) -> None:
        self.told.append("shutdown")
        if not self.stubborn:
            self._connections.discard(self)


@pytest.fixture
def connections() -> Connections:
    return Connections()


def test_it_works(connections):
    caller = caller_of(ApiKey(id="key_1", organization_id="org_1"))
    one, other = Socket(connections, caller), Socket(connections)

    assert (len(connections), connections.callers()) == (2, [(one, caller)])
    connections.discard(one)
    connections.discard(one)
    assert len(connections) == 1
    connections.discard(other)
    assert len(connections) == 0


async def test_p8_all_are_told_of_a_shutdown_and_waited_for(connections):
    sockets = [Socket(connections) for _ in range(3)]
    await asyncio.wait_for(connections.shut_down(60), 1)

    assert [socket.told for socket in sockets] == [["shutdown"]] * 3


async def test_whoever_does_not_leave_is_not_waited_for_long(connections):
    Socket(connections, stubborn=True)
    await asyncio.wait_for(connections.shut_down(0.05), 1)

    assert len(connections) == 1


async def test_with_nobody_there_it_is_quick(connections):
    await asyncio.wait_for(connections.shut_down(60), 1)


async def test_a_request_that_waits_for_its_answer_is_waited_for(connections):
    await connections.answered(0)
    with connections.waiting():
        leaving = asyncio.create_task(connections.answered(10))
        await asyncio.sleep(0)
        assert not leaving.done()
    await leaving


async def test_patience_with_requests_ends_too(connections):
    with connections.waiting():
        await connections.answered(0.01)
