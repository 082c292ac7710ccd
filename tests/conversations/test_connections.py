"""`conversations.connections`: who is connected, told, and cut."""

import asyncio

import pytest

from conversations.connections import Connections
from engine.errors import ClawError

ENDED = ClawError("key_revoked", "This key has been revoked.")


class Socket:
    """A connection that leaves when it is told, unless it is `stubborn`."""

    def __init__(self, connections: Connections, key_id: str | None, stubborn: bool = False):
        self.key_id, self.stubborn = key_id, stubborn
        self.told: list[str] = []
        self._connections = connections
        connections.add(self)

    def cut(self, error: ClawError) -> None:
        self.told.append(error.code)

    def announce_shutdown(self) -> None:
        self.told.append("shutdown")
        if not self.stubborn:
            self._connections.discard(self)


@pytest.fixture
def connections() -> Connections:
    return Connections()


def test_it_works(connections):
    one, other = Socket(connections, "key_1"), Socket(connections, None)

    assert (len(connections), connections.key_ids()) == (2, {"key_1"})
    connections.discard(one)
    connections.discard(one)
    assert len(connections) == 1
    connections.discard(other)
    assert len(connections) == 0


def test_p22_the_connections_of_a_key_are_cut_and_no_others(connections):
    sockets = [Socket(connections, key) for key in ("key_1", "key_2", "key_1", None)]
    connections.cut(["key_1"], ENDED)

    assert [socket.told for socket in sockets] == [["key_revoked"], [], ["key_revoked"], []]


def test_a_connection_may_leave_while_others_are_cut(connections):
    class Hasty(Socket):
        def cut(self, error: ClawError) -> None:
            connections.discard(self)

    for _ in range(3):
        Hasty(connections, "key_1")
    connections.cut(["key_1"], ENDED)

    assert len(connections) == 0


async def test_p8_all_are_told_of_a_shutdown_and_waited_for(connections):
    sockets = [Socket(connections, "key_1") for _ in range(3)]
    await asyncio.wait_for(connections.shut_down(60), 1)

    assert [socket.told for socket in sockets] == [["shutdown"]] * 3


async def test_whoever_does_not_leave_is_not_waited_for_long(connections):
    Socket(connections, "key_1", stubborn=True)
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
