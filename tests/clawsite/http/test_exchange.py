"""What is counted and said of an HTTP request, through the whole application."""

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.core.exceptions import RequestDataTooBig
from prometheus_client.parser import text_string_to_metric_families

from clawsite.asgi import application
from clawsite.logs import JsonFormatter, StrangersMistakes
from conversations.limits.memory import MemoryLimits
from core.metrics import exposition


class Lines(logging.Handler):
    """Every line as the log has it."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(StrangersMistakes())
        self.formatter = JsonFormatter()
        self.lines: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))

    def of(self, logger: str) -> list[dict[str, object]]:
        return [line for line in self.lines if line["logger"] == logger]


@pytest.fixture
def lines(settings) -> Iterator[Lines]:
    settings.CLAW_REQUEST_LOG = True
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


async def get(path: str, host: str = "localhost") -> httpx.Response:
    async def served(scope: Any, receive: Any, send: Any) -> None:
        services = SimpleNamespace(limits=MemoryLimits())
        await application({**scope, "state": {"services": services}}, receive, send)

    transport = httpx.ASGITransport(served, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        return await client.get(path)


def counted(name: str, **labels: str) -> float:
    """The present value of a sample, 0 if there is none."""
    families = text_string_to_metric_families(exposition().decode())
    samples = [sample for family in families for sample in family.samples]
    return sum(each.value for each in samples if each.name == name and each.labels == labels)


async def test_it_works(lines: Lines) -> None:
    before = counted("clawsite_http_responses_total", route="healthz", status="200")
    answer = await get("/healthz?ticket=secret")
    after = counted("clawsite_http_responses_total", route="healthz", status="200")
    assert after == before + 1
    (line,) = lines.of("clawsite.http.exchange")
    assert line["request"] == answer.headers["x-request-id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/healthz", 200)
    assert "secret" not in json.dumps(line)


async def test_no_line_unless_a_setting_asks_for_it(lines: Lines, settings) -> None:
    settings.CLAW_REQUEST_LOG = False
    await get("/healthz")
    assert lines.of("clawsite.http.exchange") == []


@pytest.mark.parametrize("path", ["/api/agents", "/a/nobody/api/chat", "/api/nothing-here"])
async def test_the_id_of_an_error_is_in_the_answer_and_in_its_line(
    path: str, lines: Lines, db: None
) -> None:
    answer = await get(path)
    assert answer.status_code >= 400
    request_id = answer.json()["error"]["requestId"]
    assert answer.headers["x-request-id"] == request_id
    (line,) = lines.of("clawsite.http.errors")
    assert line["request"] == request_id
    assert line["message"] == f"answered {answer.status_code} {answer.json()['error']['code']}"


@pytest.mark.parametrize("path", ["/nothing-here", "/static/nothing-here.js"])
async def test_a_page_has_an_id_too(path: str, lines: Lines) -> None:
    answer = await get(path)
    assert answer.status_code == 404
    (line,) = lines.of("django.request")
    assert line["request"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/admin/", "/static/nothing-here.js", "/"])
async def test_a_host_that_is_not_ours_is_one_line_and_no_error(path: str, lines: Lines) -> None:
    answer = await get(path, host="evil.example")
    assert answer.status_code == 400
    (line,) = lines.of("django.security.DisallowedHost")
    assert line["level"] == "WARNING"
    assert "traceback" not in line
    assert line["request"] == answer.headers["x-request-id"]


def test_what_else_a_stranger_can_cause_is_no_error() -> None:
    handler = Lines()
    try:
        raise RequestDataTooBig("too big")
    except RequestDataTooBig:
        record = logging.LogRecord(
            "django.security.RequestDataTooBig", logging.ERROR, "", 1, "too big", (), None
        )
    handler.handle(record)
    (line,) = handler.lines
    assert line["level"] == "WARNING"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/a/one/api/runs/run_1", "api/runs/<run_id>"),
        ("/api/runs/run_2", "api/runs/<run_id>"),
        ("/api/whatever/3", "other"),
        ("/admin/nothing/4/", "admin"),
        ("/whatever/5", "page"),
    ],
)
async def test_routes_are_few(path: str, route: str, db: None) -> None:
    before = counted("clawsite_http_seconds_count", route=route)
    await get(path)
    assert counted("clawsite_http_seconds_count", route=route) == before + 1


async def test_a_line_stays_one_line(lines: Lines) -> None:
    await get("/nothing%0Ahere%1b[31m")
    (line,) = lines.of("clawsite.http.exchange")
    assert line["path"] == "/nothing%0Ahere%1B%5B31m"
