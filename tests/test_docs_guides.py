"""docs/errors.md, docs/limits.md and docs/keys.md are complete, with the real numbers."""

import ast
import re
from datetime import timedelta

from accounts import http, idempotency
from agents.validators import DEFAULT_SCOPES, SCOPES
from clawsite.openapi import openapi
from clawsite.server.uvicorn import MAX_HEADERS, MAX_URL
from conversations import usage
from conversations.execution import recovery
from conversations.transports import session
from conversations.transports import usage as report
from engine.errors import CLOSE_CODE, HTTP_STATUS
from tests.documents import ROOT, names, read, rows, section
from wire import management
from wire.openapi import IDEMPOTENCY_KEY


def defaults() -> dict[str, int]:
    """Every duration and number that settings.py reads, with its default."""
    tree = ast.parse((ROOT / "clawsite" / "settings.py").read_text())
    return {
        call.args[0].value: _value(call.args[1])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("seconds", "count")
        and isinstance(call.args[0], ast.Constant)
    }


def _value(node: ast.expr) -> int:
    """A number, or a product of some."""
    if isinstance(node, ast.BinOp):
        return _value(node.left) * _value(node.right)
    return int(ast.literal_eval(node))


def number(cell: str) -> int:
    return int(re.sub(r"\D", "", cell))


def documented_errors() -> list[str]:
    return [names(row[0])[0] for row in rows(read("docs/errors.md"))]


def test_it_works() -> None:
    assert defaults()["CLAW_TRANSPORT_MAX_BYTES"] == 1024 * 1024
    assert "rate_limited" in documented_errors()


def test_every_error_is_explained_once() -> None:
    assert sorted(documented_errors()) == sorted(HTTP_STATUS.keys() | CLOSE_CODE.keys())


def test_every_limit_that_is_a_setting_has_its_default() -> None:
    table = rows(section("docs/limits.md", "That you can set"))
    assert {names(row[2])[0]: number(row[1]) for row in table} == {
        name: value for name, value in defaults().items() if name != "PORT"
    }


def test_what_happens_beyond_a_limit_is_an_error_that_exists() -> None:
    said = {name for row in rows(read("docs/limits.md")) for name in names(row[-1])}
    assert said <= HTTP_STATUS.keys() | CLOSE_CODE.keys()


def test_every_fixed_limit_is_the_real_one() -> None:
    schemas = openapi()["components"]["schemas"]
    conversation = schemas["ConversationFields"]["properties"]
    comment = schemas["Feedback"]["properties"]["comment"]
    (length,) = re.findall(r"\{1,(\d+)\}", str(conversation["id"]))
    real = [
        MAX_URL,
        MAX_HEADERS,
        session.MOST_SUBSCRIPTIONS,
        http.MOST,
        int(length),
        IDEMPOTENCY_KEY.schema["maxLength"],
        idempotency.KEPT / timedelta(hours=1),
        conversation["title"]["anyOf"][0]["maxLength"],
        comment["maxLength"],
        management.MOST_OVERLAP,
        report.MOST_DAYS,
        usage.MOST_GROUPS,
        recovery.MOST_ATTEMPTS,
    ]
    assert [number(row[1]) for row in rows(section("docs/limits.md", "That are fixed"))] == real


def test_every_scope_is_explained_and_the_first_three_are_the_default() -> None:
    table = [re.findall(r"`([\w:]+)`", row[0]) for row in rows(section("docs/keys.md", "Scopes"))]
    assert [scope for (scope,) in table] == list(SCOPES)
    assert list(DEFAULT_SCOPES) == list(SCOPES[:3])
