"""docs/errors.md, docs/limits.md and docs/keys.md are complete, with the real numbers."""

import ast
import re
from datetime import timedelta

from django.conf import settings

from accounts import hashing, idempotency, members
from agents import validators
from agents.auth import identity, signing, visitor_tokens
from agents.validators import DEFAULT_SCOPES, SCOPES
from agents.versions import models as versions
from alerts import mails
from alerts.access import due
from alerts.access import rules as alert_rules
from approvals import access as approvals
from clawsite.http import spool
from clawsite.openapi import openapi
from clawsite.server import http as server
from clawsite.server import websocket
from conversations import access
from conversations.execution import recovery
from conversations.execution.recording import steps
from conversations.execution.setup import prompt
from conversations.execution.waiting import children
from conversations.feed import access as feed_access
from conversations.feed import base as feed
from conversations.history import page as history_page
from conversations.transports import admission
from conversations.transports.rest.usage import report as usage
from conversations.transports.rest.visitors import transcripts
from conversations.transports.ws import session
from conversations.usage import keeping
from core import http
from engine.limits.room import MAX_HIDDEN_BYTES, MAX_RESULTS_BYTES
from engine.providers.server import call as reading
from engine.providers.server import decoder, lenient, retry, sse
from engine.request import Limits
from engine.tools import step
from engine.tools.builtin import ask_user
from engine.tools.mcp import connection, exchange, pool, toolbox
from engine.tools.mcp import server as server_of_mcp
from engine.tools.mcp import tools as mcp_tools
from engine.tools.registry import BUILTINS
from metering import report
from pipelines.access import failures, inbox, pipelines, tables
from pipelines.api import objects as pipeline_objects
from pipelines.flow import flow
from pipelines.graph import aggregation, expressions, stages
from tests.documents import ROOT, names, read, rows, section
from webhooks.access import positions, queue, webhooks
from wire import native
from wire.description.openapi import IDEMPOTENCY_KEY
from wire.errors import CLOSE_CODE, HTTP_STATUS
from wire.native import asking, context, deciding
from wire.objects import management
from wire.objects import versions as version_objects
from wire.objects import webhooks as webhook_objects


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
    connections = [
        server.MAX_URL,
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
        server.MAX_HEADERS,
        server.MAX_HEADER_FIELDS,
        websocket.MAX_FRAGMENTS,
        websocket.MAX_CONTROL_FRAMES,
        websocket.CONTROL_FRAMES_A_SECOND,
        session.MAX_SUBSCRIPTIONS,
        admission.LETTERS_OF_ONE,
        admission.LETTERS_AT_ADDRESS,
        admission.LETTERS_OF_ALL,
        transcripts.MAX_TO_ONE,
        admission.MAX_WATCHES,
        feed.MAX_EVENTS,
        feed.MAX_BYTES,
        feed_access.MAX_LIVE_RUNS,
        spool.LARGE,
        hashing.MAX_WAITING,
        hashing.MAX_WAIT_SECONDS,
        members.MAX_AN_HOUR,
        members.MAX_TO_ONE_AN_HOUR,
    ]
    requests = [
        native.MAX_TURNS,
        asking.MAX_TOOLS,
        asking.MAX_TOOLS_BYTES,
        context.MAX_CONTEXT_BYTES,
        native.MAX_ANSWER,
        http.MAX_LIMIT,
        history_page.MAX_PAGE_BYTES,
        int(length),
        IDEMPOTENCY_KEY.schema["maxLength"],
        idempotency.KEPT / timedelta(hours=1),
        conversation["title"]["anyOf"][0]["maxLength"],
        comment["maxLength"],
        schemas["AgentFields"]["properties"]["allowedOrigins"]["maxItems"],
        versions.MAX_VERSIONS,
        version_objects.MAX_NOTE,
        signing.MAX_LENGTH,
        identity.MAX_ID,
        visitor_tokens.RENEWABLE / timedelta(days=1).total_seconds(),
        management.MAX_OVERLAP,
        usage.MAX_DAYS,
        report.MAX_ROWS,
        keeping.MAX_BUDGETS,
        alert_rules.MAX_RULES,
        alert_rules.MAX_ADDRESSES,
        due.KEPT / timedelta(days=1),
        mails.MAX_AN_HOUR,
        webhooks.MAX_WEBHOOKS,
        positions.MAX_WAITING,
        queue.KEPT / timedelta(days=1),
        webhook_objects.MAX_OVERLAP,
        deciding.MAX_DECISIONS,
        approvals.MAX_STANDING,
        pipelines.MAX_PIPELINES,
        stages.MAX_STAGES,
        pipeline_objects.MAX_DESTINATIONS,
        expressions.MAX_LENGTH,
        pipeline_objects.MAX_ITEMS,
        pipeline_objects.MAX_ITEM_BYTES,
        inbox.MAX_BACKLOG,
        flow.MAX_WAITING,
        aggregation.MAX_GROUPS,
        failures.MAX_FAILURES,
        failures.KEPT / timedelta(days=1),
        pipelines.MAX_KEPT,
        tables.MAX_TABLES,
        tables.MAX_ROWS,
    ]
    models = [
        prompt.MAX_HISTORY,
        prompt.MAX_PROMPT_BYTES,
        steps.MAX_STEPS_BYTES,
        retry.MAX_WAIT,
        decoder.LIMIT,
        sse.LIMIT,
        reading.MAX_WHOLE_BYTES,
        lenient.MAX_DEPTH,
        decoder.MAX_BLOCKS,
        Limits().model_calls,
        step.MAX_CALLS,
        step.MAX_AT_ONCE,
        MAX_RESULTS_BYTES,
        children.MAX_RUNS,
        access.MAX_DEPTH,
        validators.MAX_TOOLS,
        ask_user.MAX_TEXT,
        ask_user.MAX_CHOICES,
        ask_user.MAX_CHOICE,
        MAX_HIDDEN_BYTES,
        recovery.MAX_ATTEMPTS,
    ]
    servers = [
        connection.CONNECT_TIMEOUT,
        toolbox.OPEN_TIMEOUT,
        server_of_mcp.LIST_SECONDS,
        mcp_tools.MAX_PAGES,
        mcp_tools.MAX_TOOLS,
        mcp_tools.MAX_SCHEMA_BYTES,
        mcp_tools.MAX_DESCRIPTION,
        toolbox.MAX_OFFERED,
        exchange.MAX_MESSAGE,
        exchange.MAX_STREAM,
        pool.MAX_SERVERS,
        pool.MAX_OF_ONE,
        pool.IDLE_SECONDS,
    ]
    table = rows(section("docs/limits.md", "That are fixed"))
    assert [number(row[1]) for row in table] == connections + requests + models + servers


def test_every_scope_is_explained_and_the_first_three_are_the_default() -> None:
    table = [re.findall(r"`([\w:]+)`", row[0]) for row in rows(section("docs/keys.md", "Scopes"))]
    assert [scope for (scope,) in table] == list(SCOPES)
    assert list(DEFAULT_SCOPES) == list(SCOPES[:3])


def test_every_built_in_tool_is_explained() -> None:
    text = read("docs/tools.md")
    table = [row for row in rows(text) if row[0].strip("`") in BUILTINS]
    assert [row[0].strip("`") for row in table] == [*BUILTINS]
    for name, arguments, _ in table:
        schema = BUILTINS[name.strip("`")].spec(name).input_schema
        assert set(schema["properties"]) <= {*names(arguments)}
    for limit in (step.MAX_CALLS, step.MAX_AT_ONCE, Limits().model_calls):
        assert re.search(rf"\b{limit}\b", text)
