"""`wire.facade.mcp`: what a client of MCP asks."""

from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from wire.facade.mcp import (
    KINDS,
    McpRequest,
    Refused,
    call_name,
    initialized,
    mcp_envelope,
    parse_mcp,
    resource_page,
    resource_templates,
)


def asked(method: str, **params: Any) -> McpRequest:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return parse_mcp(msgspec.json.encode(body))


def test_a_call_names_an_agent_and_asks_it() -> None:
    arguments = {"message": "Hi", "conversationId": "conv_1"}
    call = asked("tools/call", name="ask_helper", arguments=arguments)
    chat = call.chat()
    assert (call.agent, chat.message, chat.conversation_id) == ("helper", "Hi", "conv_1")
    for other in (asked("tools/call", name="helper"), asked("tools/list", name="ask_helper")):
        assert other.agent is None


@pytest.mark.parametrize(
    "arguments",
    [None, {}, {"message": " "}, {"message": 1}, {"message": "a", "conversationId": ""}],
)
def test_arguments_that_are_none_are_refused(arguments: Any) -> None:
    with pytest.raises(Refused) as raised:
        asked("tools/call", name="ask_helper", arguments=arguments).chat()
    assert raised.value.error.code == -32602


@pytest.mark.parametrize(
    ("version", "method", "code"),
    [("2020-01-01", None, -32022), ("2026-07-28", "tools/call", -32020)],
)
def test_headers_that_do_not_fit_are_refused(version: str, method: str | None, code: int) -> None:
    with pytest.raises(Refused) as raised:
        asked("ping").check(version, method)
    assert raised.value.error.code == code and raised.value.status(modern=True) == 400


def test_the_newest_version_is_offered_to_who_asks_for_another() -> None:
    assert initialized("1", "2025-06-18")["protocolVersion"] == "2025-06-18"
    assert initialized("1", "2099-01-01")["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"method": "ping"}', b'{"jsonrpc": "1.0"}'])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ClawError) as raised:
        parse_mcp(body)
    assert mcp_envelope(raised.value, "req_1").error.code == -32600  # type: ignore[union-attr]


def test_a_call_has_a_name_of_its_own_in_its_session() -> None:
    names = {call_name("a", 1), call_name("a", "1"), call_name("a", 2), call_name("b", 1)}
    assert len(names) == 4


def test_a_message_without_parameters_is_one() -> None:
    for params in (b"", b',"params":null', b',"params":{}'):
        body = b'{"jsonrpc":"2.0","id":0,"method":"ping"' + params + b"}"
        assert parse_mcp(body).params.name is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_has_an_address_of_its_kind(kind: str) -> None:
    page = resource_page(kind, [("x1", "Refunds")], "documents:x1")
    (found,) = page["resources"]
    assert (found["uri"], found["name"]) == (f"clawsite://{kind}/x1", "Refunds")
    assert page["nextCursor"] == "documents:x1"
    assert "nextCursor" not in resource_page(kind, [], None)
    uris = [each["uriTemplate"] for each in resource_templates()["resourceTemplates"]]
    assert f"clawsite://{kind}/{{id}}" in uris
