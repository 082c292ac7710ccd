"""Rights are looked at when they are used, over the real doors; all is changed by other processes.

Each kind of change on each door: tests/conversations/transports."""

import json

from tests.agents.signed import minted
from tests.live.clients import Sse, WebSocket
from tests.live.server import Server
from tests.live.test_tickets import opened, refused, ticket
from tests.live.visiting import SHOP, identity_secret, open_to_visitors, visit

LONG = "go [[upstream tokens=400 delay=25]]"


async def test_a_new_identity_secret_ends_what_the_one_before_has_vouched_for(
    server: Server,
) -> None:
    """A socket, an event stream, a ticket's stream, a ticket, a request and a renewal."""
    open_to_visitors(server, "acme-agent", allowedOrigins=[SHOP])
    identity = minted(identity_secret(server, "acme-agent"), user_id="ada")
    async with await visit(server, "acme-agent", identity=identity) as ada:
        used, unused = [await ticket(ada.rest, {"message": LONG}) for _ in range(2)]
        url = f"{ada.ws_url}?token={ada.token}"
        async with (
            await WebSocket.open(url, additional_headers=ada.headers) as socket,
            await opened(used, **ada.headers) as stream,
        ):
            await socket.send(type="message", content=LONG)
            await socket.until("token")
            await stream.read(tokens=1)
            identity_secret(server, "acme-agent")
            assert await socket.closed() == 4001
            await stream.read()
            assert stream.events[-1]["type"] == "token"
        assert await refused(unused, **ada.headers) == (401, "invalid_token")
        answer = await ada.rest.get("/a/acme-agent/api/conversations")
        assert answer.json()["error"]["code"] == "invalid_token"


async def test_a_deleted_key_ends_what_it_has_open_and_its_runs(server: Server) -> None:
    options = ("create_api_key", "--agent", "acme-agent", "--json")
    made, other = [json.loads(server.manage(*options)) for _ in range(2)]
    async with await WebSocket.open(server.ws_url) as socket:
        await socket.send(type="auth", token=made["apiKey"])
        await socket.send(type="message", content=LONG)
        await socket.until("token")
        found = f"ApiKey.objects.get(id={made['keyId']!r})"
        delete = f"from agents.models import ApiKey\n{found}.delete()"
        server.manage("shell", "-v0", "-c", delete)
        assert await socket.closed() == 4001
    run = f"{server.url}/api/runs/{socket.events[1]['runId']}/events"
    async with await Sse.open(run, other["apiKey"], method="GET") as stream:
        ended = await stream.read()
    assert ended[-2]["code"] == "key_revoked"
