"""Whatever the API's description allows, and much that it does not, is answered as it describes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.documents import ROOT
from tests.live.belongings import TELLING_NOTHING, make_belongings, master_key
from tests.live.clients import TIMEOUT, Rest
from tests.live.server import Server

CASES = 30  # of each operation, each asked by two organisations
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# It stays open: the first event is enough.
ENDLESS = {"include-path": "/api/command-center/stream", "max-stream-events": 1}
CONFIG = schemathesis.Config.from_dict({"operations": [ENDLESS]})
SCHEMA = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json", config=CONFIG)
FEW = {
    "webhooks": "webhooks",
    "budgets": "budgets",
    "alert-rules": "rules",
    "streaming/pipelines": "pipelines",
}
"""Kinds of which an organisation may have only a few: where they are listed, and as what."""
LEFT_OUT = {"DELETE /api/organization"}
"""What would leave nothing to ask: its tests are beside its view's."""
OPERATIONS = {
    found.ok().label: found.ok()
    for found in SCHEMA.get_all_operations()
    if found.ok().label not in LEFT_OUT
}


@pytest.fixture(scope="module")
def tokens(server: Server) -> dict[str, str]:
    """A key with every scope for each organisation."""
    return {name: master_key(server, name) for name in ("acme", "globex")}


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture
def names(server: Server, tokens: dict[str, str]) -> Iterator[dict[str, str]]:
    """An agent, a key, a conversation and a run of acme's."""

    async def make() -> dict[str, str]:
        async with Rest(server.url, tokens["acme"]) as acme:
            return (await make_belongings(acme)).names

    yield asyncio.run(make())
    for token in tokens.values():
        asyncio.run(clear(server, token))


async def clear(server: Server, token: str) -> None:
    """Delete what would be too many at the next operation, or end its answers."""
    async with Rest(server.url, token) as rest:
        for kind, listed in FEW.items():
            for found in (await rest.get(f"/api/{kind}")).json()[listed]:
                gone = await rest.request("DELETE", f"/api/{kind}/{found['id']}")
                assert gone.status_code == 204, gone.text


def ends(case: Case) -> Case:
    """The same, but no stream that stays open, and no agent besides the one in the address."""
    query: dict[str, Any] = case.query or {}
    query.pop("agentId", None)
    query.pop("stream", None)
    if "message" not in query:
        query.pop("conversationId", None)
    return case


@pytest.mark.parametrize("label", OPERATIONS)
def test_it_works(
    label: str,
    server: Server,
    tokens: dict[str, str],
    session: requests.Session,
    names: dict[str, str],
) -> None:
    """P24, P37: no surprises, and nothing of acme's is ever there for globex."""
    operation = OPERATIONS[label]
    named = {name: value for name, value in names.items() if f"{{{name}}}" in operation.path}
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    cases = st.sampled_from(modes).flatmap(
        lambda mode: operation.as_strategy(generation_mode=mode, path_parameters=named)
    )

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def answers_as_described(case: Case) -> None:
        for name, token in tokens.items():
            agent = names["agentId"] if name == "acme" else "globex-agent"
            answer = ends(case).call(
                base_url=f"{server.url}/a/{agent}",
                session=session,
                headers={"Authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
            )
            case.validate_response(answer, checks=CHECKS)
            if named and name == "globex":
                assert answer.status_code >= 400 or answer.content == TELLING_NOTHING[label]

    answers_as_described()
