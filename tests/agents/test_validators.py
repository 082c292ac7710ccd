"""`agents.validators`: what the fields of agents and keys may hold."""

import pytest
from django.core.exceptions import ValidationError

from agents import validators


def test_it_works():
    for slug in ("a1", "my-agent", "0", "a" * 63):
        validators.validate_dns_label(slug)
        validators.validate_not_reserved(slug)


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a.b", "a b", "a" * 64, "a\n", "é"])
def test_a_slug_is_a_dns_label(slug):
    with pytest.raises(ValidationError):
        validators.validate_dns_label(slug)


@pytest.mark.parametrize("slug", ["www", "api", "admin", "console", "static", "xn--bcher-kva"])
def test_names_that_the_installation_needs_are_reserved(slug):
    with pytest.raises(ValidationError):
        validators.validate_not_reserved(slug)


@pytest.mark.parametrize("scopes", [[], "chat", ["chat", "root"], [1], None, [["chat"]]])
def test_scopes_are_known(scopes):
    validators.validate_scopes(list(validators.SCOPES))
    with pytest.raises(ValidationError):
        validators.validate_scopes(scopes)


def test_an_origin_is_exact():
    validators.validate_origins(["https://example.com", "http://localhost:3000", "http://[::1]:8"])


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "example.com", "https://", "https://example.com/", "https://example.com/a"),
        *("https://*.example.com", "https://EXAMPLE.com", "https://a.com:99999", "ftp://a.com"),
        *("https://user@example.com", "https://[::1", "https://:443", "https://a.com:x", 5),
    ],
)
def test_nothing_else_is_an_origin(origin):
    with pytest.raises(ValidationError):
        validators.validate_origins([origin])


def test_origins_are_a_list():
    with pytest.raises(ValidationError):
        validators.validate_origins("https://example.com")


def test_client_tools_are_names():
    validators.validate_client_tools([])
    validators.validate_client_tools(["add_to_cart", "A-1"])
    for wrong in (None, "add_to_cart", [""], ["a b"], ["x" * 65], [1], [{}], ["a"] * 51):
        with pytest.raises(ValidationError):
            validators.validate_client_tools(wrong)


def test_tools_are_built_in_ones_each_once():
    validators.validate_tools([])
    validators.validate_tools([{"builtin": "current_time"}])
    rule = {"approval": "first", "approvers": "visitor", "editable": True}
    validators.validate_tools([{"builtin": "current_time"} | rule])
    for wrong in ({"approval": "sometimes"}, {"approvers": []}, {"editable": 1}, {"approves": 1}):
        with pytest.raises(ValidationError):
            validators.validate_tools([{"builtin": "current_time"} | wrong])
    validators.validate_tools([{"builtin": "ask_user", "approval": "never"}])
    with pytest.raises(ValidationError, match="approve"):
        validators.validate_tools([{"builtin": "ask_user", "approval": "first"}])
    tool = {"builtin": "current_time"}
    for wrong in (None, {}, "current_time", ["current_time"], [{}], [tool | {"x": 1}], [tool] * 2):
        with pytest.raises(ValidationError):
            validators.validate_tools(wrong)
    for unknown in ("nothing", "", None, ["current_time"], {"a": 1}):
        with pytest.raises(ValidationError, match="there are: current_time"):
            validators.validate_tools([{"builtin": unknown}])
    with pytest.raises(ValidationError, match="at most 50"):
        validators.validate_tools([{"builtin": str(n)} for n in range(51)])


def test_parameters_are_an_object():
    validators.validate_parameters({"temperature": 0.2})
    with pytest.raises(ValidationError):
        validators.validate_parameters(["temperature"])


@pytest.mark.parametrize("name", ["model", "system", "messages", "tools", "stream", "max_tokens"])
def test_parameters_do_not_contradict_the_fields(name):
    with pytest.raises(ValidationError):
        validators.validate_parameters({name: "x"})


ENTRY = {"mcpServer": "mcp_1", "name": "find"}


def test_tools_of_mcp_servers_have_rules():
    every = ENTRY | {"name": "*"}
    validators.validate_tools([ENTRY, every, {"builtin": "current_time"}])
    rules = {"approval": "first", "approvers": "visitor", "editable": True, "rename": "look_up"}
    validators.validate_tools([ENTRY | rules])
    for wrong in (
        {"approval": "sometimes"},
        {"rename": "a b"},
        {"rename": ""},
        {"rename": 1},
        {"name": "*", "rename": "a"},
        {"name": ""},
        {"name": "x" * 129},
        {"name": 1},
        {"mcpServer": 1},
        {"other": 1},
        {"builtin": "current_time"},
    ):
        with pytest.raises(ValidationError):
            validators.validate_tools([ENTRY | wrong])
    with pytest.raises(ValidationError):
        validators.validate_tools([ENTRY, ENTRY | {"rename": "again"}])


def test_tools_that_are_named_are_called_differently():
    servers = {"mcp_1": "crm", "mcp_2": "erp"}
    both = [ENTRY, ENTRY | {"mcpServer": "mcp_2"}]
    validators.validate_tool_names(both, servers)
    clock = {"builtin": "current_time"}
    for wrong in (
        [ENTRY | {"rename": "current_time"}, clock],
        [ENTRY | {"name": "a b"}, ENTRY | {"name": "a/b"}],
    ):
        with pytest.raises(ValidationError, match="rename it"):
            validators.validate_tool_names(wrong, servers)
