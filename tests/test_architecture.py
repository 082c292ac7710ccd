"""The layout keeps its order: each rule on the project, and on a small source that breaks it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import architecture
from tests.architecture import LEVEL, NOT_LAYERED, Source

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    folder.name
    for folder in ROOT.iterdir()
    if not folder.name.startswith(".") and any(folder.glob("*.py"))
}
PRODUCT = architecture.read_project(ROOT, PACKAGES - NOT_LAYERED)
EVERYTHING = architecture.read_project(ROOT, PACKAGES)
NOT_TESTS = [source for source in EVERYTHING if source.package != "tests"]
STRICT = [source for source in PRODUCT if source.package in ("engine", "wire")]

Rule = Callable[[Source], Iterator[str]]


def assert_keeps(rule: Rule, sources: list[Source]) -> None:
    found = [violation for source in sources for violation in rule(source)]
    assert not found, "\n".join(found)


def breaks(rule: Rule, path: str, text: str) -> bool:
    return any(rule(Source(path, text)))


# --- the project


def test_it_works() -> None:
    assert {"engine", "wire", "accounts", "agents", "conversations", "clawsite", "core"} <= PACKAGES
    assert any(source.path == "engine/run.py" for source in PRODUCT)


def test_every_package_has_its_place_in_the_order() -> None:
    assert set(LEVEL) | NOT_LAYERED >= PACKAGES


def test_imports_go_down() -> None:
    assert_keeps(architecture.against_the_order, PRODUCT)


def test_sdks_are_loaded_when_they_are_used() -> None:
    assert_keeps(architecture.sdk_at_load, PRODUCT)


def test_only_the_runner_and_the_door_of_runs_write_to_a_log() -> None:
    assert_keeps(architecture.stray_log_writer, PRODUCT)


def test_only_observers_of_runs_write_to_the_feed() -> None:
    assert_keeps(architecture.stray_feed_writer, PRODUCT)


def test_queries_live_in_few_places() -> None:
    assert_keeps(architecture.stray_query, PRODUCT)


def test_what_is_public_in_engine_and_wire_is_documented() -> None:
    assert_keeps(architecture.undocumented, STRICT)


def test_no_file_is_too_long() -> None:
    assert_keeps(architecture.too_long, EVERYTHING)


def test_no_two_rooms_import_each_other() -> None:
    assert architecture.mutual_rooms(PRODUCT) == []


def test_no_room_is_crowded() -> None:
    assert architecture.crowded_rooms(NOT_TESTS) == []


def test_every_module_has_tests_at_its_own_path_or_is_named_with_its_tests() -> None:
    without = [source for source in PRODUCT if _lacks_own_tests(source)]
    elsewhere = {source.path: architecture.tests_of(source) for source in without}
    assert [path for path, at in elsewhere.items() if at is None or not (ROOT / at).exists()] == []


def test_nothing_is_said_to_be_tested_elsewhere_that_is_not() -> None:
    without = [source for source in PRODUCT if _lacks_own_tests(source)]
    needless = {
        pattern
        for pattern in architecture.TESTED_BY
        if not any(source.matches(pattern) for source in without)
    }
    assert needless == set()


def test_each_door_has_tests_without_a_process() -> None:
    doors = [source for source in PRODUCT if source.path.startswith("conversations/transports/")]
    elsewhere = [architecture.tests_of(source) for source in doors if _lacks_own_tests(source)]
    assert [at for at in elsewhere if at is None or at.startswith("tests/live/")] == []


def _lacks_own_tests(source: Source) -> bool:
    wanted = architecture.needs_test(source)
    return wanted is not None and not (ROOT / wanted).exists()


# --- the rules themselves


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/run.py", "import wire.native"),
        ("engine/run.py", "from django.conf import settings"),
        ("engine/run.py", "def late():\n    from asgiref import sync"),
        ("wire/sse.py", "from engine.log.base import Entry"),
        ("wire/sse.py", "from engine import providers"),
        ("wire/sse.py", "import engine"),
        ("accounts/access.py", "from agents.models import Agent"),
        ("agents/auth/keys.py", "from clawsite.http.errors import envelope"),
        ("voice/speech.py", "import monitoring.feed"),
        ("conversations/transports/http.py", "from ..execution import runner"),
        ("conversations/transports/sse/views.py", "from engine.providers import open_provider"),
        ("conversations/execution/runner.py", "from conversations import limits"),
        ("conversations/limits/memory.py", "from conversations.transports import sse"),
        ("conversations/runs/start.py", "from ..transports import sse"),
    ],
)
def test_an_import_against_the_order_is_found(path: str, text: str) -> None:
    assert breaks(architecture.against_the_order, path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/run.py", "from engine.log import base"),
        ("wire/sse.py", "from engine.events import Token"),
        ("wire/sse.py", "from engine import events, transcript"),
        ("wire/sse.py", "from . import native"),
        ("conversations/process/wiring.py", "from conversations.execution import runner"),
        ("conversations/transports/http.py", "from ..limits import base"),
        ("clawsite/urls.py", "from conversations.transports.rest import api"),
    ],
)
def test_an_import_downwards_is_fine(path: str, text: str) -> None:
    assert not breaks(architecture.against_the_order, path, text)


def test_an_sdk_at_the_top_is_found_and_one_inside_a_function_is_fine() -> None:
    rule = architecture.sdk_at_load
    assert breaks(rule, "agents/pricing.py", "import genai_prices")
    assert breaks(
        rule, "engine/providers/registry.py", "from engine.http.guard import a\nimport openai"
    )
    assert breaks(rule, "engine/run.py", "try:\n    import anthropic.types\nexcept ImportError: 1")
    assert breaks(
        rule, "engine/providers/openai/provider.py", "from engine.providers.anthropic import sdk"
    )
    assert not breaks(rule, "engine/providers/anthropic/sdk.py", "import anthropic")
    assert not breaks(rule, "engine/usage.py", "def price():\n    import genai_prices")
    assert not breaks(rule, "engine/usage.py", "if TYPE_CHECKING:\n    import genai_prices")


def test_a_stray_log_writer_is_found() -> None:
    text = "log.writer(stamp, 1).append(event)"
    assert breaks(architecture.stray_log_writer, "conversations/transports/rest/api.py", text)
    assert not breaks(architecture.stray_log_writer, "conversations/execution/runner.py", text)


def test_a_stray_writer_of_the_feed_is_found() -> None:
    text = "services.feed.record(organization, event)"
    assert breaks(architecture.stray_feed_writer, "conversations/transports/rest/api.py", text)
    assert not breaks(architecture.stray_feed_writer, "conversations/feed/runs.py", text)


def test_a_stray_query_is_found() -> None:
    text = "Run.objects.get(id=id)"
    assert breaks(architecture.stray_query, "conversations/transports/rest/api.py", text)
    assert not breaks(architecture.stray_query, "conversations/access/__init__.py", text)


def test_a_missing_docstring_is_found() -> None:
    text = "async def read(): ...\ndef _private(): ..."
    assert len(list(architecture.undocumented(Source("wire/sse.py", text)))) == 1


def test_a_long_file_is_found() -> None:
    assert breaks(architecture.too_long, "engine/run.py", "\n" * 401)
    assert not breaks(architecture.too_long, "engine/run.py", "\n" * 400)


def test_rooms_that_import_each_other_are_found() -> None:
    one = Source("agents/auth/keys.py", "from agents.api import agents")
    other = Source("agents/api/agents.py", "import agents.auth.keys")
    within = Source("agents/models.py", "from agents.auth.keys import digest")
    assert architecture.mutual_rooms([one, other]) == [
        "agents/api and agents/auth import each other"
    ]
    assert architecture.mutual_rooms([one, within]) == []


def test_a_crowded_room_is_found() -> None:
    many = [Source(f"engine/log/m{number}.py", "") for number in range(16)]
    assert architecture.crowded_rooms(many) == ["engine/log has 16 entries: split it by noun"]
    assert architecture.crowded_rooms(many[:15]) == []


def test_a_module_names_its_tests() -> None:
    text = "def run(): ..."
    assert architecture.needs_test(Source("engine/log/file.py", text)) == (
        "tests/engine/log/test_file.py"
    )
    assert architecture.needs_test(Source("engine/log/base.py", text)) is None
    assert architecture.needs_test(Source("engine/providers/words.py", "WORDS = []")) is None
