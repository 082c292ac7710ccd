"""What the API's description says of every operation holds, and for every operation it is asked."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.live.belongings import (
    REQUIRED,
    SCOPES,
    TELLING_NOTHING,
    Belongings,
    make_belongings,
    master_key,
)
from tests.live.clients import Rest
from tests.live.described import check_answer, description
from tests.live.server import Server

OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in description()["paths"].items()
    for method, operation in operations.items()
]
GUARDED = [each for each in OPERATIONS if each[2]["security"]]


@pytest.fixture(scope="module")
def tokens(server: Server) -> dict[str, str]:
    """A key with every scope for each organisation."""
    return {name: master_key(server, name) for name in ("acme", "globex")}


@pytest.fixture
async def acme(server: Server, tokens: dict[str, str]) -> AsyncIterator[Rest]:
    async with Rest(server.url, tokens["acme"]) as client:
        yield client


@pytest.fixture
async def globex(server: Server, tokens: dict[str, str]) -> AsyncIterator[Rest]:
    async with Rest(server.url, tokens["globex"]) as client:
        yield client


@pytest.fixture
async def mine(acme: Rest) -> Belongings:
    return await make_belongings(acme)


def code_of(answer: httpx.Response) -> str:
    """The code of a refusal, also in a protocol that has numbers of its own."""
    error = answer.json()["error"]
    return str(error.get("data", error)["code"])


async def ask(rest: Rest, method: str, path: str, address: str) -> tuple[int, str, str]:
    """The status, code and message of a refusal."""
    params = REQUIRED["/api/chat"] if (method, path) == ("GET", "/api/chat/stream") else {}
    body = None if method == "GET" else REQUIRED.get(path, {})
    answer = await rest.request(method, address, params=params, json=body)
    assert answer.status_code >= 400, f"{method} {path}: {answer.text}"
    return answer.status_code, code_of(answer), answer.json()["error"]["message"]


async def test_it_works(rest: Rest) -> None:
    answer = await rest.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["paths"].keys() == description()["paths"].keys()


async def test_it_is_for_everybody_at_every_address_of_the_api(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as stranger:
        answers = [
            await stranger.get(path)
            for path in ("/api/openapi.json", "/a/acme-agent/api/openapi.json")
        ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


async def test_all_else_wants_a_key(server: Server, mine: Belongings) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as stranger:
        for method, path, _ in GUARDED:
            answer = check_answer(await stranger.request(method, mine.address(path), json={}))
            assert (answer.status_code, code_of(answer)) == (401, "auth_required"), path
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scope", SCOPES)
async def test_each_operation_wants_its_scope(
    server: Server, acme: Rest, mine: Belongings, scope: str
) -> None:
    wanting = [each for each in GUARDED if {"key": [scope]} in each[2]["security"]]
    assert wanting
    instead = {each for one in wanting for way in one[2]["security"] for each in way.get("key", [])}
    # `admin` contains every scope.
    others = {"scopes": [each for each in SCOPES if each not in {*instead, "admin"}]}
    made = await acme.post(mine.address("/api/agents/{agentId}/keys"), others)
    async with Rest(server.url, made.json()["apiKey"]) as rest:
        for method, path, _ in wanting:
            refusal = await ask(rest, method, path, mine.address(path))
            assert refusal[:2] == (403, "forbidden"), path


async def test_p24_what_is_foreign_is_answered_like_what_does_not_exist(
    acme: Rest, globex: Rest, mine: Belongings
) -> None:
    """P24: for every address that names something."""
    own = await make_belongings(globex)
    naming = [
        (method, path, scope)
        for method, path, scope in GUARDED
        if "{" in path and f"{method} {path}" not in TELLING_NOTHING
    ]
    nothing = Belongings({name: "missing" for name in mine.names})
    for method, path, _ in naming:
        foreign = await ask(globex, method, path, mine.address(path))
        assert foreign == await ask(globex, method, path, nothing.address(path))
        assert foreign[0] == 404, path
    for method, path, _ in naming:
        *within, last = re.findall(r"{(\w+)}", path)
        # A visitor who never came has nothing to erase: 204. Each agent counts its own versions.
        if within and last not in ("visitorId", "version"):
            mixed = Belongings(own.names | {last: mine.names[last]})
            assert (await ask(globex, method, path, mixed.address(path)))[0] == 404, path
    still = await acme.get(mine.address("/api/agents/{agentId}"))
    assert still.status_code == 200


async def test_other_methods_are_refused_with_those_that_are_not(
    rest: Rest, mine: Belongings
) -> None:
    for path, operations in description()["paths"].items():
        allowed = {method.upper() for method in operations}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
            answer = await rest.request(method, mine.address(path))
            assert answer.status_code == 405, f"{method} {path}"
            assert code_of(answer) == "method_not_allowed"
            assert set(answer.headers["allow"].split(", ")) == allowed


async def test_an_answer_that_is_not_described_is_found(server: Server) -> None:
    request = httpx.Request("GET", f"{server.url}/api/conversations")
    headers = {"x-request-id": "req_1"}
    page = {"conversations": [], "nextCursor": None}
    check_answer(httpx.Response(200, headers=headers, json=page, request=request))
    for status, body in (
        (200, page | {"surprise": 1}),
        (200, {"conversations": []}),
        (201, page),
        (404, {"error": {"code": "run_not_found", "message": "-", "requestId": "req_1"}}),
    ):
        wrong = httpx.Response(status, headers=headers, json=body, request=request)
        with pytest.raises((AssertionError, ValueError)):
            check_answer(wrong)
