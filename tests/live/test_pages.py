"""The pages of an agent's own host, and static modules: who may see, frame and load them."""

import re
from functools import partial
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.live.clients import Rest
from tests.live.server import Server
from tests.live.visiting import SHOP

PUBLIC = {"publicPage": True, "allowedOrigins": [SHOP, "https://*.shop.example"]}
SETTINGS = {"ALLOWED_HOSTS": "console.test,127.0.0.1,.localhost"}


@pytest.fixture(autouse=True)
async def public(manager: Rest) -> None:
    """acme's agent has a public page."""
    await manager.request("PATCH", "/api/agents/acme-agent", json=PUBLIC)


def get(server: Server, path: str, host: str = "acme-agent.localhost") -> httpx.Response:
    headers = {"Host": f"{host}:{server.port}"}
    return httpx.get(f"{server.url}{path}", headers=headers, trust_env=False)


def policy(answer: httpx.Response) -> dict[str, str]:
    rules = answer.headers["content-security-policy"].split("; ")
    return dict(rule.split(" ", 1) for rule in rules)


def test_it_works(server: Server) -> None:
    for path in ("/", "/demo/"):
        page = get(server, path)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "acme-agent" in page.text
    assert '<claw-chat agent="acme-agent"' in get(server, "/").text
    assert 'data-agent="acme-agent"' in get(server, "/demo/").text


async def test_its_card_is_of_the_agent_s_settings(server: Server, manager: Rest) -> None:
    """Icon, description and share card; its pictures are let in, and no others."""
    path = "/api/agents/acme-agent"
    page = get(server, "/").text
    assert '<meta property="og:title" content="acme-agent">' in page and "og:image" not in page
    widget = {
        "avatar": "https://cdn.example/a.png",
        "shareText": 'Ask "us" <anything>',
        "shareImage": "/card.png",
    }
    assert (await manager.request("PATCH", path, json={"widget": widget})).is_success
    try:
        answer = get(server, "/")
        home = f"http://acme-agent.localhost:{server.port}/"
        text = "Ask &quot;us&quot; &lt;anything&gt;"
        for name, content in [
            ('name="description"', text),
            ('property="og:description"', text),
            ('property="og:url"', home),
            ('property="og:image"', f"{home}card.png"),
        ]:
            assert f'<meta {name} content="{content}">' in answer.text
        assert '<link rel="icon" href="https://cdn.example/a.png">' in answer.text
        assert policy(answer)["img-src"] == "'self' data: https://cdn.example"
    finally:
        await manager.request("PATCH", path, json={"widget": {}})


def test_the_policy_lets_in_nothing_inline_and_nothing_foreign(server: Server) -> None:
    for path in ("/", "/demo/", "/nothing/"):
        page = get(server, path)
        if page.headers["content-type"].startswith("text/html"):
            rules = policy(page)
            assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
            assert rules["script-src"] == rules["style-src"] == "'self'"
            assert "unsafe" not in page.headers["content-security-policy"]
            assert not re.search(r"<script>|<style>| on\w+=| style=", page.text)
            assert page.headers["x-content-type-options"] == "nosniff"
    assert policy(get(server, "/"))["connect-src"] == (
        f"'self' ws://acme-agent.localhost:{server.port}"
    )


def test_p26_only_allowed_origins_and_the_console_may_frame_it(server: Server) -> None:
    page = get(server, "/")
    assert policy(page)["frame-ancestors"].split() == [
        "'self'",
        f"http://console.test:{server.port}",
        f"http://127.0.0.1:{server.port}",
        *PUBLIC["allowedOrigins"],
    ]
    assert "x-frame-options" not in page.headers
    assert policy(get(server, "/demo/"))["frame-ancestors"] == "'self'"


def test_on_the_console_s_host_it_is_framed_and_no_more(server: Server) -> None:
    page = get(server, "/a/acme-agent/", "127.0.0.1")
    home = f"http://acme-agent.localhost:{server.port}"
    assert page.status_code == 200
    assert f'<iframe src="{home}/"' in page.text and "<script" not in page.text
    assert policy(page)["frame-src"] == home
    assert policy(page)["frame-ancestors"] == "'self'"


async def test_without_a_public_page_there_is_none(server: Server, manager: Rest) -> None:
    await manager.request("PATCH", "/api/agents/acme-agent", json={"publicPage": False})
    hidden = [get(server, path) for path in ("/", "/demo/")]
    hidden += [get(server, "/a/acme-agent/", "127.0.0.1"), get(server, "/a/nobody/", "127.0.0.1")]
    hidden += [get(server, "/", "nobody.localhost"), get(server, "/demo/", "nobody.localhost")]
    assert {(page.status_code, page.text) for page in hidden} == {(404, hidden[0].text)}


def test_agents_hosts_have_nothing_of_the_console_s(server: Server) -> None:
    for path in ("/admin/", "/admin/login/", "/a/acme-agent/", "/demo"):
        assert get(server, path).status_code == 404
    assert get(server, "/demo/", "127.0.0.1").status_code == 404


def test_the_page_s_own_visitors_are_welcome(server: Server) -> None:
    home = f"http://acme-agent.localhost:{server.port}"
    asked = {"Host": home.removeprefix("http://"), "Origin": home}
    url = f"{server.url}/a/acme-agent/api/visitor-sessions"
    answer = httpx.post(url, headers=asked, trust_env=False)
    assert answer.status_code == 201
    bearer = {"Authorization": f"Bearer {answer.json()['token']}", "Host": asked["Host"]}
    read = f"{server.url}/api/conversations"
    for headers, status in (
        ({"Sec-Fetch-Site": "same-origin"}, 200),  # as browsers do on a GET to their own host
        ({"Origin": home}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Host": f"127.0.0.1:{server.port}"}, 403),
        ({"Origin": f"http://localhost:{server.port}"}, 403),
        ({"Origin": "http://acme-agent.localhost"}, 403),
    ):
        told = httpx.get(read, headers=bearer | headers, trust_env=False)
        assert told.status_code == status, headers


def test_modules_may_be_loaded_from_any_page(server: Server) -> None:
    for host in ("127.0.0.1", "acme-agent.localhost"):
        module = get(server, "/static/claw/client.js", host)
        assert module.status_code == 200
        assert module.headers["access-control-allow-origin"] == "*"
        assert module.headers["content-type"].startswith("text/javascript")
        assert "set-cookie" not in module.headers


def test_what_is_bundled_is_sent_compressed_and_kept_where_its_name_has_its_hash(
    server: Server,
) -> None:
    (history,) = (Path(settings.BASE_DIR) / "static/dist").glob("history-*.js")
    ask = partial(httpx.get, trust_env=False)
    for name, kept in (
        ("chat.js", "max-age=60"),
        ("chat.css", "max-age=60"),
        (history.name, "immutable"),
    ):
        url = f"{server.url}/static/dist/{name}"
        whole = ask(url, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in whole.headers
        assert kept in whole.headers["cache-control"]
        packed = ask(url, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        assert packed.content == whole.content
        assert int(packed.headers["content-length"]) < len(whole.content) / 2
        with httpx.stream(
            "GET", url, headers={"Accept-Encoding": "br, gzip"}, trust_env=False
        ) as br:
            assert br.headers["content-encoding"] == "br"


def test_a_page_is_only_read(server: Server) -> None:
    headers = {"Host": f"acme-agent.localhost:{server.port}"}
    assert httpx.post(f"{server.url}/", headers=headers, trust_env=False).status_code == 405
