"""What the tests of changed rights share: how something is changed, and who has what open."""

from typing import Any

from agents.auth import identity
from agents.models import Agent
from core.database import database_step
from tests.agents.signed import minted
from tests.asgi import Response, Socket, ask
from tests.conversations.parts import ENDLESS

SHOP = "https://shop.example"
API = "/a/helper/api"
CUT = 4001


async def change(row: Any, **fields: Any) -> None:
    """As the API and the admin do."""

    def save() -> None:
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()

    await database_step(save)


async def session_of(agent: Agent, user: str = "ada") -> str:
    """A token of ours for a user whom the agent's identity secret vouches for."""
    secret = await database_step(identity.new_secret, agent)
    body = {"identity": minted(secret, user_id=user)}
    status, made = await ask("POST", f"{API}/visitor-sessions", body, origin=SHOP)
    assert status == 201, made
    return str(made["token"])


def last_error(socket: Socket) -> str:
    return [frame for frame in socket.frames if frame["type"] == "error"][-1]["code"]


def streaming(token: str, **headers: str) -> Response:
    """An event stream of an answer that goes on."""
    return Response("POST", f"{API}/chat/stream", {"message": ENDLESS}, token, **headers)
