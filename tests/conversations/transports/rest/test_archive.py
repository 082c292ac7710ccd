"""`conversations.transports.rest.archive`: who finds, reads, exports and shares what."""

from typing import Any

import pytest

from accounts.models import Membership, User
from agents.auth import keys
from conversations.access.erasing import hide
from conversations.history.sharing import shared
from conversations.models import Conversation
from core.database import database_step
from tests.asgi import Response, ask
from tests.conversations.history.talks import talk
from tests.conversations.transports.test_sessions import CONSOLE, call, sign_in

pytestmark = pytest.mark.usefixtures("services")

ALL = ["chat", "conversations:read", "conversations:write"]


@pytest.fixture
def talks(agent, foreign_agent, key, foreign_key) -> dict[str, Conversation]:
    """What a visitor and a program asked, and what was asked elsewhere."""
    mine = talk(agent, "Where is my order?", owner="keys", title="Mine")
    mine.alias = "docs-1"
    mine.save()
    return {
        "mine": mine,
        "visitors": talk(agent, "Where is my parcel?", title="Visitor's"),
        "foreign": talk(foreign_agent, "Where is my secret?", title="Foreign"),
    }


@pytest.fixture
def admin(acme) -> str:
    """A key of acme that may do anything."""
    return keys.create_key(acme, name="a", scopes=[*ALL, "admin"])[1]


async def listed(token: str, query: str = "") -> list[dict[str, Any]]:
    status, told = await ask("GET", f"/api/conversations{query}", token=token)
    assert status == 200, told
    return list(told["conversations"])


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [each["title"] for each in found]


async def test_it_works(talks, admin) -> None:
    visitors, mine = await listed(admin)
    assert titles([visitors, mine]) == ["Visitor's", "Mine"], "the latest first, of acme alone"
    assert (visitors["visitor"], visitors["owner"]) == ("anon:v1", "visitor:v1")
    assert visitors["id"] == talks["visitors"].id
    assert (mine["id"], mine["owner"], "visitor" in mine) == ("docs-1", "keys", False)
    assert titles(await listed(admin, "?q=parcel")) == ["Visitor's"]
    assert titles(await listed(admin, "?visitor=anon:v1")) == ["Visitor's"]
    assert titles(await listed(admin, "?by=key&from=2020-01-01&to=2999-01-01")) == ["Mine"]
    assert titles(await listed(admin, "?agentId=helper&q=where")) == ["Visitor's", "Mine"]


async def test_a_key_without_admin_finds_what_was_asked_with_keys(talks, key) -> None:
    (mine,) = await listed(key[1], "?q=where")
    assert mine.keys() == {"id", "agentId", "title", "createdAt", "lastMessageAt"}
    for query in ("visitor=anon:v1", "by=visitor"):
        status, told = await ask("GET", f"/api/conversations?{query}", token=key[1])
        assert (status, told["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", ["owner", "member", "viewer"])
async def test_members_read_everything(talks, acme, role) -> None:
    def join() -> User:
        user = User.objects.create_user("some@example.com", "correct horse")
        Membership.objects.create(organization=acme, user=user, role=role)
        return user

    browser = await sign_in(await database_step(join))
    status, told = await call(browser, "GET", "/api/conversations?q=where")
    assert (status, titles(told["conversations"])) == (200, ["Visitor's", "Mine"])
    path = f"/api/conversations/{talks['visitors'].id}"
    assert (await call(browser, "GET", path))[1]["visitor"] == "anon:v1"
    assert (await call(browser, "GET", f"{path}/transcript"))[0] == 200
    assert (await call(browser, "GET", f"{path}/export?format=json"))[0] == 200
    may = role != "viewer"
    shared = await call(browser, "POST", f"{path}/share", {"expiresInSeconds": 7}, origin=CONSOLE)
    assert shared[0] == (201 if may else 403)
    gone = await call(browser, "DELETE", f"{path}/share", origin=CONSOLE)
    assert gone[0] == (204 if may else 403)


PATHS = [("GET", ""), ("GET", "/export"), ("POST", "/share"), ("DELETE", "/share")]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_p24_what_is_not_yours_does_not_exist(talks, admin, key, method, path) -> None:
    for token, name in ((admin, "foreign"), (key[1], "visitors"), (key[1], "foreign")):
        for id_ in (talks[name].id, "conv_missing", "%00"):
            where = f"/api/conversations/{id_}{path}"
            status, told = await ask(method, where, token=token)
            assert (status, told["error"]["code"]) == (404, "conversation_not_found")


async def test_what_is_being_erased_is_found_by_nobody(talks, admin) -> None:
    await database_step(hide, Conversation.objects.filter(pk=talks["visitors"].pk))
    assert titles(await listed(admin)) == ["Mine"]
    status, _ = await ask("GET", f"/api/conversations/{talks['visitors'].id}", token=admin)
    assert status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"q={'x' * 201}", "q"),
        ("from=yesterday", "from"),
        ("to=9999-12-31", "to"),
        ("by=king", "by"),
        ("visitor=%00", "visitor"),
    ],
)
async def test_a_search_that_is_not_understood(talks, admin, query, field) -> None:
    status, told = await ask("GET", f"/api/conversations?{query}", token=admin)
    assert (status, told["error"]["details"]) == (400, {"field": field})


@pytest.mark.parametrize(
    ("ending", "type_"),
    [("json", "application/json"), ("csv", "text/csv"), ("md", "text/markdown")],
)
async def test_a_file(talks, admin, ending, type_) -> None:
    path = f"/api/conversations/{talks['visitors'].id}/export?format={ending}"
    async with Response("GET", path, token=admin) as response:
        await response.ended()
    headers = dict(response.sent[0]["headers"])
    assert headers[b"Content-Type"].decode() == f"{type_}; charset=utf-8"
    name = f'attachment; filename="{talks["visitors"].id}.{ending}"'
    assert headers[b"Content-Disposition"].decode() == name
    assert "Where is my parcel?" in response.text and "Fine." in response.text
    status, told = await ask("GET", path.replace(ending, "pdf"), token=admin)
    assert (status, told["error"]["details"]) == (400, {"field": "format"})


async def test_shared_for_a_while(talks, admin) -> None:
    path = f"/api/conversations/{talks['visitors'].id}"
    status, told = await ask("POST", f"{path}/share", {"expiresInSeconds": 60}, token=admin)
    assert status == 201
    token = told["url"].split("/shared/")[1].strip("/")
    assert (await database_step(shared, token)).conversation_id == talks["visitors"].id
    found = (await ask("GET", path, token=admin))[1]
    assert found["sharedUntil"] == told["expiresAt"]
    assert (await listed(admin))[0]["sharedUntil"] == told["expiresAt"]
    assert (await ask("DELETE", f"{path}/share", token=admin))[0] == 204
    assert await database_step(shared, token) is None
    for seconds in (0, 366 * 86400, "7"):
        body = {"expiresInSeconds": seconds}
        assert (await ask("POST", f"{path}/share", body, token=admin))[0] == 400
