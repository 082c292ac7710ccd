"""The API for members of an organisation, by the session with which they have signed in."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Membership, User
from agents.models import Agent
from core.database import database_step
from tests.asgi import HOST, Response, ask
from tests.conversations.parts import ENDLESS, QUICK

pytestmark = pytest.mark.usefixtures("services", "agent")

CONSOLE = f"http://{HOST}"


async def sign_in(user: User) -> Client:
    """The browser of somebody who has signed in."""

    def login() -> Client:
        browser = Client()
        assert browser.login(username=user.email, password="correct horse")
        return browser

    return await database_step(login)


def cookie_of(browser: Client) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}"


async def call(browser: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return await ask(method, path, body, cookie=cookie_of(browser), **headers)


async def test_it_works(alice, agent) -> None:
    browser = await sign_in(alice)
    status, listed = await call(browser, "GET", "/api/agents")
    assert (status, [each["slug"] for each in listed["agents"]]) == (200, [agent.slug])
    status, _ = await call(
        browser, "PATCH", f"/api/agents/{agent.id}", {"name": "New"}, origin=CONSOLE
    )
    assert status == 200
    assert (await database_step(Agent.objects.get)).name == "New"
    status, answer = await call(browser, "POST", "/api/chat", {"message": QUICK}, origin=CONSOLE)
    assert (status, answer["content"]) == (200, "Hello there")
    status, told = await call(browser, "GET", f"/api/runs/{answer['runId']}")
    assert (status, told["status"]) == (200, "completed")


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "https://evil.example"}, {"origin": CONSOLE, "sec-fetch-site": "cross-site"}],
)
async def test_a_page_of_somebody_else_changes_nothing(alice, agent, headers) -> None:
    browser = await sign_in(alice)
    for method, path, body in (
        ("PATCH", f"/api/agents/{agent.id}", {"name": "Stolen"}),
        ("POST", "/api/chat", {"message": QUICK}),
        ("POST", f"/api/agents/{agent.id}/keys", {}),
    ):
        status, told = await call(browser, method, path, body, **headers)
        assert (status, told["error"]["code"]) == (403, "forbidden")
    assert (await database_step(Agent.objects.get)).name == "Helper"


async def test_a_foreign_page_reads_nothing(alice, agent) -> None:
    browser = await sign_in(alice)
    status, _ = await call(browser, "GET", "/api/agents", origin="https://evil.example")
    assert status == 403
    status, _ = await call(browser, "GET", "/api/agents", **{"sec-fetch-site": "same-site"})
    assert status == 403


async def test_a_session_counts_on_the_console_s_host_only(alice, agent) -> None:
    browser = await sign_in(alice)
    status, told = await call(browser, "GET", "/api/agents", host="helper.localhost:8000")
    assert (status, told["error"]["code"]) == (401, "auth_required")


async def test_a_role_decides_before_the_body_is_looked_at(bob, agent) -> None:
    await database_step(Membership.objects.update, role="viewer")
    browser = await sign_in(bob)
    for method, path, body in (
        ("PATCH", f"/api/agents/{agent.id}", {"maxTokens": "many"}),
        ("POST", f"/api/agents/{agent.id}/keys", {"scopes": 7}),
        ("POST", "/api/chat", {"message": QUICK}),
    ):
        status, told = await call(browser, method, path, body, origin=CONSOLE)
        assert (status, told["error"]["code"]) == (403, "forbidden"), path
    assert (await call(browser, "GET", f"/api/agents/{agent.id}"))[0] == 200


async def test_an_administrator_makes_a_key(alice, agent) -> None:
    browser = await sign_in(alice)
    body = {"scopes": ["chat", "admin"], "everyAgent": True}
    path = f"/api/agents/{agent.id}/keys"
    status, made = await call(browser, "POST", path, body, origin=CONSOLE)
    assert (status, made["everyAgent"]) == (201, True)
    status, _ = await call(browser, "POST", "/api/agents", {"name": "Two"}, origin=CONSOLE)
    assert status == 201


async def test_p24_charlie_gets_404(charlie, foreign_agent, agent) -> None:
    browser = await sign_in(charlie)
    for path in (f"/api/agents/{agent.id}", f"/a/{agent.slug}/api/conversations"):
        status, told = await call(browser, "GET", path)
        assert (status, told["error"]["code"]) == (404, "agent_not_found")
    named = {"x-claw-organization": "acme"}
    assert (await call(browser, "GET", "/api/agents", **named))[0] == 404


async def test_a_key_comes_before_a_session(alice, foreign_key, foreign_agent) -> None:
    browser = await sign_in(alice)
    status, told = await call(browser, "GET", "/api/conversations", token=foreign_key[1])
    assert (status, told["conversations"]) == (200, [])
    status, _ = await call(browser, "GET", "/api/conversations", token="claw_nonsense")
    assert status == 401


async def test_a_session_makes_no_tickets(alice, agent) -> None:
    browser = await sign_in(alice)
    status, told = await call(
        browser, "POST", "/api/stream-tickets", {"message": QUICK}, origin=CONSOLE
    )
    assert (status, told["error"]["code"]) == (403, "forbidden")


# --- what ends a session, or what it may, ends what is open


async def left(browser: Client, user: User) -> None:
    await database_step(browser.logout)


async def removed(browser: Client, user: User) -> None:
    await database_step(lambda: Membership.objects.get(user=user).delete())


async def removed_unannounced(browser: Client, user: User) -> None:
    await database_step(lambda: Membership.objects.filter(user=user)._raw_delete("default"))


async def demoted(browser: Client, user: User) -> None:
    def demote() -> None:
        membership = Membership.objects.get(user=user)
        membership.role = "viewer"
        membership.save()

    await database_step(demote)


async def deactivated(browser: Client, user: User) -> None:
    await database_step(lambda: User.objects.filter(pk=user.pk).update(is_active=False))


@pytest.mark.parametrize("end", [left, removed, removed_unannounced, demoted, deactivated])
async def test_an_open_stream_is_cut(alice, agent, end) -> None:
    browser = await sign_in(alice)
    headers = {"cookie": cookie_of(browser), "origin": CONSOLE}
    async with Response("POST", "/api/chat/stream", {"message": ENDLESS}, **headers) as stream:
        await stream.saw("token")
        await end(browser, alice)
        await stream.ended()
        assert '"type":"done"' not in stream.text
